import FoundationEssentials
import GRDB

/// The table's file: jobs, their events, their saved states.
///
/// One process owns it (`locking_mode = EXCLUSIVE`); a second is refused. The log is written ahead
/// (WAL), so a process that dies loses nothing that was committed.
struct JobStore: Sendable {
    let path: String
    let queue: DatabaseQueue
    let commits: GroupCommit

    init(path: String, busyMilliseconds: Int) throws {
        self.path = path
        var configuration = Configuration()
        configuration.busyMode = .timeout(Double(busyMilliseconds) / 1000)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { try $0.execute(sql: Self.tables) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            throw JobError.inUse(path: path)
        } catch {
            throw JobError.storage(path: path, reason: "\(error)")
        }
        commits = GroupCommit(queue)
    }

    private static let tables = """
        CREATE TABLE IF NOT EXISTS job (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            key TEXT NOT NULL,
            kind TEXT NOT NULL,
            input BLOB NOT NULL,
            status TEXT NOT NULL,
            createdAt INTEGER NOT NULL,
            updatedAt INTEGER NOT NULL,
            progress INTEGER NOT NULL DEFAULT 0,
            total INTEGER NOT NULL DEFAULT 0,
            message TEXT NOT NULL DEFAULT '',
            result TEXT NOT NULL DEFAULT '',
            error TEXT NOT NULL DEFAULT '',
            attempts INTEGER NOT NULL DEFAULT 0,
            cancelling INTEGER NOT NULL DEFAULT 0,
            sequence INTEGER NOT NULL DEFAULT 0
        );
        CREATE UNIQUE INDEX IF NOT EXISTS jobByKey ON job (kind, key) WHERE key <> '';
        CREATE INDEX IF NOT EXISTS jobByStatus ON job (status, number);
        CREATE TABLE IF NOT EXISTS event (
            job TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
            sequence INTEGER NOT NULL,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            status TEXT NOT NULL,
            progress INTEGER NOT NULL,
            total INTEGER NOT NULL,
            message TEXT NOT NULL,
            metrics TEXT NOT NULL,
            result TEXT NOT NULL,
            PRIMARY KEY (job, sequence)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS state (
            job TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (job, name)
        );
        """

    /// Reads, with the storage's own errors told as the module's.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await queue.read(body)
        } catch let error as DatabaseError {
            throw JobError.storage(path: path, reason: "\(error)")
        }
    }

    /// Writes and waits for the disk.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await commits.perform(durable: true, body)
        } catch let error as DatabaseError {
            throw JobError.storage(path: path, reason: "\(error)")
        }
    }

    static func now() -> Int64 {
        Int64(Date().timeIntervalSince1970 * 1000)
    }
}

// MARK: - Rows

extension JobStore {
    static func job(_ database: Database, id: String) throws -> Job {
        let row = try Row.fetchOne(database, sql: "SELECT * FROM job WHERE id = ?", arguments: [id])
        guard let row else { throw JobError.notFound(id: id) }
        return job(from: row)
    }

    static func job(from row: Row) -> Job {
        let input: Data = row["input"]
        return Job(
            id: row["id"], key: row["key"], kind: row["kind"], input: [UInt8](input),
            status: JobStatus(rawValue: row["status"]) ?? .failed,
            createdAtMilliseconds: row["createdAt"], updatedAtMilliseconds: row["updatedAt"],
            progress: row["progress"], total: row["total"], message: row["message"],
            result: row["result"], error: row["error"], attempts: row["attempts"],
            sequence: row["sequence"])
    }

    static func event(from row: Row) -> JobEvent {
        JobEvent(
            sequence: row["sequence"], atMilliseconds: row["at"],
            kind: JobEvent.Kind(rawValue: row["kind"]) ?? .log,
            status: JobStatus(rawValue: row["status"]) ?? .failed, progress: row["progress"],
            total: row["total"], message: row["message"],
            metrics: MetricsText.decode(row["metrics"]), result: row["result"])
    }

    /// Appends an event that repeats where the job stands, and forgets those beyond the limit.
    static func append(
        _ kind: JobEvent.Kind, to id: String, in database: Database, message: String = "",
        metrics: [String: Double] = [:], result: String = "", at time: Int64, keeping limit: Int
    ) throws {
        try database.execute(
            sql: "UPDATE job SET sequence = sequence + 1, updatedAt = ? WHERE id = ?",
            arguments: [time, id])
        try database.execute(
            sql: """
                INSERT INTO event SELECT id, sequence, ?, ?, status, progress, total, ?, ?, ?
                FROM job WHERE id = ?
                """,
            arguments: [time, kind.rawValue, message, MetricsText.encode(metrics), result, id])
        let sequence = try Int.fetchOne(
            database, sql: "SELECT sequence FROM job WHERE id = ?", arguments: [id])
        if let sequence, sequence > limit, sequence % 256 == 0 {
            try database.execute(
                sql: "DELETE FROM event WHERE job = ? AND sequence <= ?",
                arguments: [id, sequence - limit])
        }
    }

    /// Moves a job to a status and tells it as an event; `error` and `result` replace what was there.
    static func move(
        _ id: String, to status: JobStatus, in database: Database, message: String = "",
        result: String = "", error: String = "", keeping limit: Int
    ) throws {
        let time = now()
        try database.execute(
            sql: "UPDATE job SET status = ?, result = ?, error = ? WHERE id = ?",
            arguments: [status.rawValue, result, error, id])
        if status.isFinal {
            try database.execute(
                sql: "UPDATE job SET cancelling = 0 WHERE id = ?", arguments: [id])
        }
        try append(
            status == .succeeded ? .result : .state, to: id, in: database,
            message: error.isEmpty ? message : error, result: result, at: time, keeping: limit)
    }
}

/// Metrics as one column: a line `value name` each, which keeps NaN and infinity as JSON cannot.
enum MetricsText {
    static func encode(_ metrics: [String: Double]) -> String {
        metrics.sorted { $0.key < $1.key }
            .map { "\($0.value) \($0.key.filter { $0 != "\n" })" }.joined(separator: "\n")
    }

    static func decode(_ text: String) -> [String: Double] {
        var metrics: [String: Double] = [:]
        for line in text.split(separator: "\n") {
            guard let space = line.firstIndex(of: " "), let value = Double(line[..<space]) else {
                continue
            }
            metrics[String(line[line.index(after: space)...])] = value
        }
        return metrics
    }
}
