import FoundationEssentials
import GRDB
import Synchronization

/// The durable jobs of one service: started once per key, run again after a crash, watched live.
///
/// `start` commits the job before it returns. `run` carries out what is queued until its task is
/// cancelled; jobs that were running when a process died are queued again when the table opens, and
/// their runner finds what it had saved (`JobContext.state`).
public final class JobTable: Sendable {
    let store: JobStore
    let limits: JobLimits
    let signals = JobSignals()
    /// Events that came faster than they could be written, by job.
    let leftOut = Mutex<[String: Int]>([:])

    /// The signal raised when a job is queued.
    static let queueSignal = "queue"

    /// - Parameters:
    ///   - path: of the SQLite file; its folder must exist.
    ///   - busyMilliseconds: how long to wait for a process that is about to let go of the file.
    public init(
        path: String, limits: JobLimits = JobLimits(), busyMilliseconds: Int = 5_000
    ) throws {
        self.limits = limits
        store = try JobStore(path: path, busyMilliseconds: busyMilliseconds)
        do {
            try store.queue.write { try Self.recover($0, limits) }
        } catch let error as DatabaseError {
            throw JobError.storage(path: path, reason: "\(error)")
        }
    }

    /// Starts a job, or returns the one that the same key and kind have started before.
    ///
    /// - Parameter goesOn: whether a job that failed or was cancelled is queued again, with this
    ///   input and with what it had saved.
    public func start(
        kind: String, key: String = "", input: [UInt8], goesOn: Bool = false
    ) async throws -> Job {
        if input.count > limits.inputBytes {
            throw JobError.tooLarge(
                what: "the job's input", bytes: input.count, limit: limits.inputBytes)
        }
        let limits = limits
        let id = Self.newIdentifier()
        let (job, isQueued) = try await store.write { database in
            if let known = try Self.known(kind: kind, key: key, in: database) {
                guard goesOn, known.status == .failed || known.status == .cancelled else {
                    return (known, false)
                }
                try database.execute(
                    sql: "UPDATE job SET input = ? WHERE id = ?",
                    arguments: [Data(input), known.id])
                return (try Self.queueAgain(known.id, in: database, limits), true)
            }
            let open = try Int.fetchOne(
                database,
                sql: "SELECT COUNT(*) FROM job WHERE status IN ('queued', 'running')")
            if let open, open >= limits.openJobs { throw JobError.tooManyOpen(limit: open) }
            let time = JobStore.now()
            try database.execute(
                sql: """
                    INSERT INTO job (id, key, kind, input, status, createdAt, updatedAt)
                    VALUES (?, ?, ?, ?, 'queued', ?, ?)
                    """,
                arguments: [id, key, kind, Data(input), time, time])
            try JobStore.append(
                .state, to: id, in: database, at: time, keeping: limits.eventsPerJob)
            return (try JobStore.job(database, id: id), true)
        }
        if isQueued {
            signals.raise(Self.queueSignal)
            signals.raise(job.id)
        }
        return job
    }

    private static func known(kind: String, key: String, in database: Database) throws -> Job? {
        if key.isEmpty { return nil }
        return try Row.fetchOne(
            database, sql: "SELECT * FROM job WHERE kind = ? AND key = ?", arguments: [kind, key]
        ).map(JobStore.job(from:))
    }

    /// Begins to count a job's attempts anew.
    private static func queueAgain(
        _ id: String, in database: Database, _ limits: JobLimits
    ) throws -> Job {
        try database.execute(
            sql: "UPDATE job SET attempts = 0, cancelling = 0 WHERE id = ?", arguments: [id])
        try JobStore.move(
            id, to: .queued, in: database, message: "retried", keeping: limits.eventsPerJob)
        return try JobStore.job(database, id: id)
    }

    public func job(_ id: String) async throws -> Job {
        try await store.read { try JobStore.job($0, id: id) }
    }

    /// The job that a key has started, or nil.
    public func job(kind: String, key: String) async throws -> Job? {
        try await store.read { database in
            try Self.known(kind: kind, key: key, in: database)
        }
    }

    /// The newest jobs, newest first.
    public func jobs(
        kind: String? = nil, status: JobStatus? = nil, limit: Int = 100
    ) async throws -> [Job] {
        try await store.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM job WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR status = ?2)
                    ORDER BY number DESC LIMIT ?3
                    """,
                arguments: [kind, status?.rawValue, limit]
            ).map(JobStore.job(from:))
        }
    }

    /// Asks a job to end. A queued one is cancelled at once, a running one as soon as its runner heeds it.
    @discardableResult
    public func cancel(_ id: String) async throws -> Job {
        let limits = limits
        let job = try await store.write { database in
            let job = try JobStore.job(database, id: id)
            switch job.status {
            case .queued:
                try JobStore.move(
                    id, to: .cancelled, in: database, message: "cancelled before it ran",
                    keeping: limits.eventsPerJob)
            case .running:
                try database.execute(
                    sql: "UPDATE job SET cancelling = 1 WHERE id = ?", arguments: [id])
            case .succeeded, .failed, .cancelled:
                break
            }
            return try JobStore.job(database, id: id)
        }
        signals.raise(Self.cancelSignal(id))
        signals.raise(id)
        return job
    }

    /// Queues a failed or cancelled job again; what it had saved is still there.
    @discardableResult
    public func retry(_ id: String) async throws -> Job {
        let limits = limits
        let job = try await store.write { database in
            let job = try JobStore.job(database, id: id)
            guard job.status == .failed || job.status == .cancelled else {
                throw job.status == .succeeded
                    ? JobError.finished(id: id, status: job.status)
                    : JobError.stillOpen(id: id, status: job.status)
            }
            return try Self.queueAgain(id, in: database, limits)
        }
        signals.raise(Self.queueSignal)
        signals.raise(id)
        return job
    }

    /// Everything that happened and will happen to a job after a sequence number; ends with the job.
    public func events(of id: String, after sequence: Int = 0) -> JobEvents {
        JobEvents(table: self, id: id, after: sequence)
    }

    /// Waits for the end of a job.
    public func finish(of id: String) async throws -> Job {
        for try await _ in events(of: id, after: try await job(id).sequence) {}
        return try await job(id)
    }

    /// Closes the file. Only a table that does not run may be closed.
    public func close() throws {
        try store.queue.close()
    }

    static func cancelSignal(_ id: String) -> String { "cancel \(id)" }

    private static func newIdentifier() -> String {
        String(JobStore.now(), radix: 36)
            + String(UInt64.random(in: 1 << 58 ... .max), radix: 36)
    }

    /// Queues again what a dead process left running, and forgets the oldest finished jobs.
    private static func recover(_ database: Database, _ limits: JobLimits) throws {
        let left = try Row.fetchAll(
            database, sql: "SELECT id, attempts, cancelling FROM job WHERE status = 'running'")
        for row in left {
            let id: String = row["id"]
            let attempts: Int = row["attempts"]
            let limit = limits.eventsPerJob
            if row["cancelling"] {
                try JobStore.move(
                    id, to: .cancelled, in: database,
                    message: "cancelled while the service was down", keeping: limit)
            } else if attempts >= limits.attempts {
                try JobStore.move(
                    id, to: .failed, in: database,
                    error:
                        "begun \(attempts) times and never ended; retry it once the cause is gone",
                    keeping: limit)
            } else {
                try JobStore.move(
                    id, to: .queued, in: database, message: "queued again after a restart",
                    keeping: limit)
            }
        }
        try database.execute(
            sql: """
                DELETE FROM job WHERE number IN (
                    SELECT number FROM job WHERE status IN ('succeeded', 'failed', 'cancelled')
                    ORDER BY number DESC LIMIT -1 OFFSET ?)
                """,
            arguments: [limits.finishedJobs])
    }
}
