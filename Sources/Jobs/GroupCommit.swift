import GRDB
import Synchronization

/// Writes that wait at the same time share one transaction, and so one `fsync`.
///
/// The first write of a group asks the writer thread for its turn; whatever arrives until that turn
/// comes goes with it. A transaction with a durable write is synchronised to the disk before its
/// callers go on; one with events alone may lose its last moments with the power, not with the process.
final class GroupCommit: Sendable {
    /// Tells what became of a write: nil once it is committed.
    typealias Finish = @Sendable ((any Error)?) -> Void

    private struct Item {
        let durable: Bool
        let apply: @Sendable (Database) -> Finish
        /// Called instead of the above where no transaction could be begun.
        let fail: @Sendable (any Error) -> Void
    }

    private struct Waiting {
        var items: [Item] = []
        /// Where the waiting progress event of a job lies, so that the next one replaces it.
        var progress: [String: Int] = [:]
        var scheduled = false

        /// Whether the caller is the one who asks for a turn of the writer.
        mutating func claim() -> Bool {
            defer { scheduled = true }
            return !scheduled
        }
    }

    private let queue: DatabaseQueue
    private let waiting = Mutex(Waiting())

    init(_ queue: DatabaseQueue) {
        self.queue = queue
    }

    /// Runs `body` in the next transaction and returns once that is committed.
    ///
    /// Cancelling the caller changes nothing: what was begun is written.
    func perform<Value: Sendable>(
        durable: Bool, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let apply: @Sendable (Database) -> Finish = { database in
                let outcome = Result { try Self.savepoint(database, body) }
                return { error in
                    continuation.resume(with: error.map { .failure($0) } ?? outcome)
                }
            }
            let fail: @Sendable (any Error) -> Void = { continuation.resume(throwing: $0) }
            add(Item(durable: durable, apply: apply, fail: fail))
        }
    }

    /// What fails in one write is undone alone; its group goes on.
    private static func savepoint<Value>(
        _ database: Database, _ body: (Database) throws -> Value
    ) throws -> Value {
        var value: Value?
        try database.inSavepoint {
            value = try body(database)
            return .commit
        }
        guard let value else { preconditionFailure("a savepoint ended without its value") }
        return value
    }

    /// Leaves a write for the next transaction and returns at once.
    ///
    /// - Parameters:
    ///   - replacing: a job's id: its progress that still waits is replaced by this one.
    ///   - limit: of waiting writes.
    /// - Returns: false if the limit is reached and the write was not taken.
    func post(
        replacing job: String? = nil, limit: Int, _ apply: @escaping @Sendable (Database) -> Finish
    ) -> Bool {
        let item = Item(durable: false, apply: apply, fail: { _ in })
        let (taken, first) = waiting.withLock { waiting in
            if let job, let index = waiting.progress[job] {
                waiting.items[index] = item
                return (true, false)
            }
            guard waiting.items.count < limit else { return (false, false) }
            waiting.items.append(item)
            if let job { waiting.progress[job] = waiting.items.count - 1 }
            return (true, waiting.claim())
        }
        if first { schedule() }
        return taken
    }

    private func add(_ item: Item) {
        let first = waiting.withLock { waiting in
            waiting.items.append(item)
            // A later progress event must not move before this write.
            waiting.progress.removeAll(keepingCapacity: true)
            return waiting.claim()
        }
        if first { schedule() }
    }

    private func schedule() {
        queue.asyncWriteWithoutTransaction { [self] database in commit(database) }
    }

    private func commit(_ database: Database) {
        let items = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting.items
        }
        var finishes: [Finish] = []
        do {
            let durable = items.contains(where: \.durable)
            try database.execute(sql: "PRAGMA synchronous = \(durable ? "FULL" : "NORMAL")")
            try database.inTransaction(.immediate) {
                finishes = items.map { $0.apply(database) }
                return .commit
            }
            for finish in finishes { finish(nil) }
        } catch {
            if finishes.isEmpty {
                for item in items { item.fail(error) }
            } else {
                for finish in finishes { finish(error) }
            }
        }
    }
}
