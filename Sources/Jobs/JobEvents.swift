import GRDB

/// The events of one job, stored and live, in order and without a gap from where one attached.
///
/// A slow reader holds nothing up and costs no memory: every step reads the table.
public struct JobEvents: AsyncSequence, Sendable {
    public typealias Element = JobEvent

    let table: JobTable
    let id: String
    let after: Int

    init(table: JobTable, id: String, after: Int) {
        self.table = table
        self.id = id
        self.after = after
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(table: table, id: id, after: after)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private static let page = 256

        private let table: JobTable
        private let id: String
        private var after: Int
        private var read: ArraySlice<JobEvent> = []

        init(table: JobTable, id: String, after: Int) {
            self.table = table
            self.id = id
            self.after = after
        }

        public mutating func next() async throws -> JobEvent? {
            while read.isEmpty {
                try Task.checkCancellation()
                let generation = table.signals.generation(of: id)
                let (events, status) = try await page()
                read = events[...]
                if read.isEmpty {
                    if status.isFinal { return nil }
                    await table.signals.wait(for: id, after: generation)
                }
            }
            guard let event = read.popFirst() else { return nil }
            after = event.sequence
            return event
        }

        /// The next stored events, and where the job stood at the same moment.
        private func page() async throws -> ([JobEvent], JobStatus) {
            let (id, after) = (id, after)
            return try await table.store.read { database in
                let events = try Row.fetchAll(
                    database,
                    sql: """
                        SELECT * FROM event WHERE job = ? AND sequence > ?
                        ORDER BY sequence LIMIT ?
                        """,
                    arguments: [id, after, Self.page])
                let status = try String.fetchOne(
                    database, sql: "SELECT status FROM job WHERE id = ?", arguments: [id])
                guard let status else { throw JobError.notFound(id: id) }
                return (
                    events.map(JobStore.event(from:)), JobStatus(rawValue: status) ?? .failed
                )
            }
        }
    }
}
