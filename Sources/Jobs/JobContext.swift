import FoundationEssentials
import GRDB
import Synchronization

/// What a runner knows of its job and tells about it.
///
/// Its synchronous methods return at once and may be called from any thread; what they tell is
/// written within milliseconds. Its asynchronous ones return once the disk has it.
public struct JobContext: Sendable {
    public let job: Job
    let table: JobTable
    private let pace: Pace

    /// Progress is told this often at most, except the last.
    private static let progressInterval = Duration.milliseconds(100)

    private final class Pace: Sendable {
        let told = Mutex<ContinuousClock.Instant?>(nil)
    }

    init(job: Job, table: JobTable) {
        self.job = job
        self.table = table
        pace = Pace()
    }

    /// Tells how far the job is.
    public func progress(_ done: Int, of total: Int, _ message: String = "") {
        let now = ContinuousClock.now
        let due = pace.told.withLock { told in
            if done < total, let told, now - told < Self.progressInterval { return false }
            told = now
            return true
        }
        guard due else { return }
        post(replacing: true) { [id = job.id, limit = table.limits.eventsPerJob] database in
            try database.execute(
                sql: "UPDATE job SET progress = ?, total = ?, message = ? WHERE id = ?",
                arguments: [done, total, message, id])
            try JobStore.append(
                .progress, to: id, in: database, message: message, at: JobStore.now(),
                keeping: limit)
        }
    }

    /// Tells numbers, for example those of a training step.
    public func metrics(_ metrics: [String: Double], _ message: String = "") {
        post { [id = job.id, limit = table.limits.eventsPerJob] database in
            try JobStore.append(
                .metrics, to: id, in: database, message: message, metrics: metrics,
                at: JobStore.now(), keeping: limit)
        }
    }

    /// Tells a line for a person. Never keys or user text.
    public func log(_ message: String) {
        post { [id = job.id, limit = table.limits.eventsPerJob] database in
            try JobStore.append(
                .log, to: id, in: database, message: message, at: JobStore.now(), keeping: limit)
        }
    }

    /// Saves what a later attempt needs, under a name; it is on the disk when this returns.
    ///
    /// Many callers at once share one write.
    public func save(_ value: [UInt8], as name: String) async throws {
        let limit = table.limits.stateBytes
        if value.count > limit {
            throw JobError.tooLarge(what: "the state \"\(name)\"", bytes: value.count, limit: limit)
        }
        try await table.store.write { [id = job.id] database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO state (job, name, value) VALUES (?, ?, ?)",
                arguments: [id, name, Data(value)])
        }
    }

    /// What this job has saved under a name, in this attempt or an earlier one.
    public func state(_ name: String) async throws -> [UInt8]? {
        try await table.state(name, of: job.id)
    }

    /// The names under which something is saved and that begin so, in order.
    public func stateNames(beginning prefix: String = "") async throws -> [String] {
        try await table.stateNames(of: job.id, beginning: prefix)
    }

    /// Forgets what is saved under names that begin so.
    public func removeStates(beginning prefix: String) async throws {
        try await table.store.write { [id = job.id] database in
            try database.execute(
                sql: "DELETE FROM state WHERE job = ? AND substr(name, 1, ?) = ?",
                arguments: [id, prefix.unicodeScalars.count, prefix])
        }
    }

    private func post(
        replacing: Bool = false, _ body: @escaping @Sendable (Database) throws -> Void
    ) {
        let (id, table) = (job.id, table)
        let taken = table.store.commits.post(
            replacing: replacing ? id : nil, limit: table.limits.waitingEvents
        ) { database in
            let outcome = Result { try body(database) }
            return { error in
                if error == nil, case .success = outcome { table.signals.raise(id) }
            }
        }
        if !taken { table.leftOut.withLock { $0[id, default: 0] += 1 } }
    }
}

extension JobTable {
    /// What a job has saved under a name.
    public func state(_ name: String, of id: String) async throws -> [UInt8]? {
        try await store.read { database in
            try Data.fetchOne(
                database, sql: "SELECT value FROM state WHERE job = ? AND name = ?",
                arguments: [id, name]
            ).map { [UInt8]($0) }
        }
    }

    /// The names under which a job has saved something and that begin so, in order.
    public func stateNames(of id: String, beginning prefix: String) async throws -> [String] {
        try await store.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT name FROM state WHERE job = ?1 AND substr(name, 1, ?2) = ?3 ORDER BY name
                    """,
                arguments: [id, prefix.unicodeScalars.count, prefix])
        }
    }
}
