import FoundationEssentials
import GRDB

/// The rows of one run, and the two files that mirror its outcomes.
///
/// Each file holds, from its base on, the lines of the run's outcomes in their order. The base is
/// the size the file had when the run first began: what was there before stays.
struct JournalFiles: Sendable {
    private let run: Int64
    private let output: AppendFile
    private let fail: AppendFile
    private var sequence: Int
    private var outputLines: [UInt8] = []
    private var failLines: [UInt8] = []

    static func open(
        _ plan: AugmentationPlan, identity: String, _ database: Database
    ) throws -> (JournalFiles, Journal.Opened) {
        let output = try AppendFile(path: plan.outputPath)
        let fail = try AppendFile(path: plan.failPath)
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO run (identity, outputPath, outputBase, failPath, failBase)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [identity, output.path, output.size, fail.path, fail.size])
        let found = try Row.fetchOne(
            database, sql: "SELECT * FROM run WHERE identity = ?", arguments: [identity])
        guard let row = found else {
            throw AugmentationError.journal(path: plan.journalPath, reason: "the run is lost")
        }
        let run: Int64 = row["number"]
        let outputBase = try mirror(
            output, failed: false, run, base: row["outputBase"], wasAt: row["outputPath"], database)
        var failBase = try mirror(
            fail, failed: true, run, base: row["failBase"], wasAt: row["failPath"], database)
        if plan.retriesFailed { failBase = try forgetFailed(fail, run, base: failBase, database) }
        try database.execute(
            sql: """
                UPDATE run SET outputPath = ?, outputBase = ?, failPath = ?, failBase = ?
                WHERE number = ?
                """,
            arguments: [output.path, outputBase, fail.path, failBase, run])
        let last = try Int.fetchOne(
            database, sql: "SELECT MAX(sequence) FROM outcome WHERE run = ?", arguments: [run])
        let files = JournalFiles(
            run: run, output: output, fail: fail, sequence: (last ?? 0) + 1)
        return (files, try opened(run, database))
    }

    private init(run: Int64, output: AppendFile, fail: AppendFile, sequence: Int) {
        self.run = run
        self.output = output
        self.fail = fail
        self.sequence = sequence
    }

    mutating func insert(_ reply: StoredReply, _ database: Database) throws {
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO reply VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            run, reply.item, reply.call, reply.request, reply.answer.text, reply.answer.isCut,
            reply.answer.promptTokens, reply.answer.completionTokens,
        ])
    }

    /// Inserts the row; the line goes to its file with `flush`, after the commit.
    mutating func insert(_ outcome: StoredOutcome, _ database: Database) throws {
        try database.cachedStatement(
            sql: "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            run, sequence, outcome.item, outcome.hash, outcome.failed, outcome.reason,
            Data(outcome.line),
        ])
        sequence += 1
        if outcome.failed { failLines += outcome.line } else { outputLines += outcome.line }
    }

    mutating func flush() throws {
        try output.append(outputLines)
        try fail.append(failLines)
        outputLines = []
        failLines = []
    }

    func close() throws {
        for file in [output, fail] {
            try file.synchronize()
            try file.close()
        }
    }

    // MARK: opening

    /// Appends what a file lacks of its outcomes.
    ///
    /// - Returns: where the run's lines begin in the file.
    private static func mirror(
        _ file: AppendFile, failed: Bool, _ run: Int64, base: Int, wasAt path: String,
        _ database: Database
    ) throws -> Int {
        // A file that was moved or emptied gets everything again, behind what it holds now.
        let isOther = path != file.path || file.size < base
        let base = isOther ? file.size : base
        let rows = try Data.fetchCursor(
            database,
            sql: "SELECT line FROM outcome WHERE run = ? AND failed = ? ORDER BY sequence",
            arguments: [run, failed])
        let size = file.size
        var offset = base
        var missing: [UInt8] = []
        while let line = try rows.next() {
            let end = offset + line.count
            defer { offset = end }
            guard end > size else { continue }
            let present = max(0, size - offset)
            if present > 0 {
                // A crash may have left half a line; anything else was somebody else.
                let half = try file.read(offset..<size)
                guard half.elementsEqual(line.prefix(present)) else {
                    throw AugmentationError.fileChanged(path: file.path, offset: offset)
                }
            }
            missing += line.dropFirst(present)
            if missing.count > 1 << 20 {
                try file.append(missing)
                missing = []
            }
        }
        try file.append(missing)
        return base
    }

    /// Takes the failed examples out of the journal and, where nothing follows them, out of the file.
    private static func forgetFailed(
        _ file: AppendFile, _ run: Int64, base: Int, _ database: Database
    ) throws -> Int {
        let bytes = try Int.fetchOne(
            database,
            sql: "SELECT SUM(LENGTH(line)) FROM outcome WHERE run = ? AND failed = 1",
            arguments: [run])
        try database.execute(
            sql: "DELETE FROM outcome WHERE run = ? AND failed = 1", arguments: [run])
        guard file.size == base + (bytes ?? 0) else { return file.size }
        try file.truncate(to: base)
        return base
    }

    private static func opened(_ run: Int64, _ database: Database) throws -> Journal.Opened {
        var opened = Journal.Opened()
        let outcomes = try Row.fetchCursor(
            database,
            sql: "SELECT item, hash, failed FROM outcome WHERE run = ? ORDER BY sequence",
            arguments: [run])
        while let row = try outcomes.next() {
            opened.finished[row["item"]] = (row["hash"], row["failed"])
        }
        let replies = try Row.fetchCursor(
            database,
            sql: """
                SELECT * FROM reply WHERE run = ?1 AND item NOT IN
                    (SELECT item FROM outcome WHERE run = ?1 AND failed = 0)
                ORDER BY item, call
                """,
            arguments: [run])
        while let row = try replies.next() {
            let reply = StoredReply(
                item: row["item"], call: row["call"], request: row["request"],
                answer: TeacherAnswer(
                    text: row["text"], isCut: row["isCut"], promptTokens: row["promptTokens"],
                    completionTokens: row["completionTokens"]))
            opened.replies[reply.item, default: []].append(reply)
        }
        return opened
    }
}
