import FoundationEssentials
import GRDB
import Synchronization

/// A teacher's reply as the journal keeps it.
package struct StoredReply: Sendable, Equatable {
    package var item: Int
    /// Counted from 0 within the example.
    package var call: Int
    /// Hash of model, messages and parameters: a reply to another request is not used.
    package var request: String
    package var answer: TeacherAnswer
}

/// What became of an example.
package struct StoredOutcome: Sendable, Equatable {
    package var item: Int
    package var hash: String
    package var failed: Bool
    /// Why it failed, for a person.
    package var reason = ""
    /// The bytes for the output or the fail file.
    package var line: [UInt8]
}

/// Remembers every reply and every finished example of a run, and writes the run's two files.
///
/// ```
/// reply ──▶ journal                     (committed: the teacher is never asked again)
/// chain ──▶ journal ──▶ output or fail file
///                  ╰─ after a crash: what the file lacks is appended from the journal
/// ```
/// Whoever adds something at the same time shares one transaction and one `fsync`; a call returns
/// once its entry is on the disk. One process at a time holds the journal.
package final class Journal: Sendable {
    private enum Entry {
        case reply(StoredReply)
        case outcome(StoredOutcome)
    }

    private struct Waiting {
        var entries: [(entry: Entry, continuation: CheckedContinuation<Void, any Error>)] = []
        var isScheduled = false
    }

    private let path: String
    private let queue: DatabaseQueue
    private let waiting = Mutex(Waiting())
    /// Used within the database's queue alone.
    private let files: Mutex<JournalFiles?> = Mutex(nil)

    package init(path: String) throws(AugmentationError) {
        self.path = path
        var configuration = Configuration()
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { try Self.prepare($0) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            throw .journalInUse(path: path)
        } catch {
            throw .journal(path: path, reason: "\(error)")
        }
    }

    /// Told apart from the layouts of other versions.
    private static let layout = 2

    private struct OtherLayout: Error, CustomStringConvertible {
        let description = "another version of Hone wrote it"
    }

    private static func prepare(_ database: Database) throws {
        let known = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard try known == layout || !database.tableExists("run") else {
            throw OtherLayout()
        }
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS run (
                    number INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE,
                    failPath TEXT NOT NULL);
                CREATE TABLE IF NOT EXISTS reply (
                    run INTEGER NOT NULL, item INTEGER NOT NULL, call INTEGER NOT NULL,
                    request TEXT NOT NULL, text TEXT NOT NULL, isCut INTEGER NOT NULL,
                    promptTokens INTEGER NOT NULL, completionTokens INTEGER NOT NULL,
                    PRIMARY KEY (run, item, call)) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS outcome (
                    run INTEGER NOT NULL, sequence INTEGER NOT NULL, item INTEGER NOT NULL,
                    hash TEXT NOT NULL, failed INTEGER NOT NULL, reason TEXT NOT NULL,
                    line BLOB NOT NULL, place INTEGER NOT NULL,
                    PRIMARY KEY (run, sequence)) WITHOUT ROWID;
                PRAGMA user_version = \(layout);
                """)
    }

    // MARK: a run

    /// What a run knows when it begins.
    package struct Opened: Sendable {
        /// Finished examples by their number.
        package var finished: [Int: (hash: String, failed: Bool)] = [:]
        /// Replies to examples that are not finished.
        package var replies: [Int: [StoredReply]] = [:]
    }

    /// Opens the run of a plan and brings its files up to what the journal knows.
    package func open(_ plan: AugmentationPlan, model: String) throws -> Opened {
        do {
            return try queue.writeWithoutTransaction { database in
                try closeFiles()
                let (files, opened) = try JournalFiles.open(
                    plan, identity: plan.identity(model: model), database)
                self.files.withLock { $0 = files }
                return opened
            }
        } catch let error as DatabaseError {
            throw AugmentationError.journal(path: path, reason: "\(error)")
        }
    }

    /// Adds a reply; it is on the disk when this returns.
    package func save(_ reply: StoredReply) async throws {
        try await add(.reply(reply))
    }

    /// Adds an outcome and its line; both are known for good when this returns.
    package func save(_ outcome: StoredOutcome) async throws {
        try await add(.outcome(outcome))
    }

    /// Brings the files to the disk and closes everything.
    package func close() throws {
        try queue.writeWithoutTransaction { _ in try closeFiles() }
        try queue.close()
    }

    private func closeFiles() throws {
        try files.withLock { files in
            try files?.close()
            files = nil
        }
    }

    // MARK: group commit

    private func add(_ entry: Entry) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = waiting.withLock { waiting in
                waiting.entries.append((entry, continuation))
                defer { waiting.isScheduled = true }
                return !waiting.isScheduled
            }
            if isFirst { queue.asyncWriteWithoutTransaction { self.commit($0) } }
        }
    }

    private func commit(_ database: Database) {
        let entries = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting.entries
        }
        let result = Result { try write(entries.map(\.entry), in: database) }
        for entry in entries { entry.continuation.resume(with: result) }
    }

    private func write(_ entries: [Entry], in database: Database) throws {
        try files.withLock { files in
            guard files != nil else {
                throw AugmentationError.journal(path: path, reason: "no run is open")
            }
            do {
                // Lines of a transaction that failed are not to be written with the next one.
                files?.forgetLines()
                try database.inTransaction(.immediate) {
                    for entry in entries {
                        switch entry {
                        case .reply(let reply): try files?.insert(reply, database)
                        case .outcome(let outcome): try files?.insert(outcome, database)
                        }
                    }
                    return .commit
                }
            } catch let error as DatabaseError {
                throw AugmentationError.journal(path: path, reason: "\(error)")
            }
            try files?.flush()
        }
    }
}
