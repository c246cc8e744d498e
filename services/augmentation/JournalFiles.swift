import FoundationEssentials
import GRDB

/// The rows of one run, and the two files that mirror the outcomes of all runs of the journal.
///
/// Each outcome knows its place, the offset of its line in its file. A place is committed before the
/// line is written, and lines are written in the order of their places; so what a crash leaves out
/// is the end of a file, whichever run it belongs to, and whichever run comes next adds it. What
/// somebody else put into a file between two runs stays.
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
        let failPath = AugmentationPlan.canonical(plan.failPath)
        var run: Int64 = 0
        try database.inTransaction(.immediate) {
            run = try enter(identity, failPath: failPath, database)
            try place(.output, in: output, database)
            try place(.fail(path: failPath), in: fail, database)
            return .commit
        }
        try fill(.output, in: output, database)
        try fill(.fail(path: failPath), in: fail, database)
        if plan.retriesFailed {
            try database.inTransaction(.immediate) {
                try forgetFailed(fail, run, database)
                return .commit
            }
        }
        let last = try Int.fetchOne(
            database, sql: "SELECT MAX(sequence) FROM outcome WHERE run = ?", arguments: [run])
        let files = JournalFiles(
            run: run, output: output, fail: fail, sequence: (last ?? 0) + 1)
        return (files, try opened(run, database))
    }

    /// The number of a run; one whose fail file is another than before gets its lines there again.
    private static func enter(
        _ identity: String, failPath: String, _ database: Database
    ) throws -> Int64 {
        try database.execute(
            sql: "INSERT OR IGNORE INTO run (identity, failPath) VALUES (?, ?)",
            arguments: [identity, failPath])
        let row = try Row.fetchOne(
            database, sql: "SELECT number, failPath FROM run WHERE identity = ?",
            arguments: [identity])
        guard let row else { preconditionFailure("run \(identity) was entered and is not there") }
        let run: Int64 = row["number"]
        if row["failPath"] != failPath {
            try database.execute(
                sql: """
                    UPDATE outcome SET place = \(nowhere) + sequence WHERE run = ? AND failed = 1
                    """,
                arguments: [run])
            try database.execute(
                sql: "UPDATE run SET failPath = ? WHERE number = ?", arguments: [failPath, run])
        }
        return run
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
            sql: "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            run, sequence, outcome.item, outcome.hash, outcome.failed, outcome.reason,
            Data(outcome.line),
            outcome.failed ? fail.size + failLines.count : output.size + outputLines.count,
        ])
        sequence += 1
        if outcome.failed { failLines += outcome.line } else { outputLines += outcome.line }
    }

    mutating func flush() throws {
        try output.append(outputLines)
        try fail.append(failLines)
        forgetLines()
    }

    mutating func forgetLines() {
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

    /// Beyond every file: the place of a line that is in none.
    private static let nowhere: Int64 = 1 << 60

    /// The outcomes whose lines one file holds.
    private enum Share {
        case output
        case fail(path: String)

        var condition: String {
            switch self {
            case .output: "failed = 0"
            case .fail: "failed = 1 AND run IN (SELECT number FROM run WHERE failPath = ?)"
            }
        }

        var arguments: StatementArguments {
            switch self {
            case .output: []
            case .fail(let path): [path]
            }
        }
    }

    /// Gives the lines a file lacks their places at its end.
    private static func place(
        _ share: Share, in file: AppendFile, _ database: Database
    ) throws {
        let size = file.size
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT run, sequence, place, LENGTH(line) AS bytes FROM outcome
                WHERE \(share.condition) AND place + LENGTH(line) > \(size) ORDER BY place
                """,
            arguments: share.arguments)
        var end = size
        var moved: [StatementArguments] = []
        while let row = try rows.next() {
            let place: Int = row["place"]
            // A line that is there in part keeps its place.
            if place >= size, place != end {
                moved.append([end, row["run"] as Int64, row["sequence"] as Int])
            }
            end = (place < size ? place : end) + (row["bytes"] as Int)
        }
        for arguments in moved {
            try database.execute(
                sql: "UPDATE outcome SET place = ? WHERE run = ? AND sequence = ?",
                arguments: arguments)
        }
    }

    /// Appends what a file lacks.
    private static func fill(
        _ share: Share, in file: AppendFile, _ database: Database
    ) throws {
        let size = file.size
        try checkLast(share, in: file, database)
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT place, line FROM outcome
                WHERE \(share.condition) AND place + LENGTH(line) > \(size) ORDER BY place
                """,
            arguments: share.arguments)
        var missing: [UInt8] = []
        while let row = try rows.next() {
            let place: Int = row["place"]
            let line: Data = row["line"]
            // A crash may have left half a line; anything else was somebody else.
            let present = max(0, size - place)
            if present > 0, try !file.read(place..<size).elementsEqual(line.prefix(present)) {
                throw AugmentationError.fileChanged(path: file.path, offset: place)
            }
            missing += line.dropFirst(present)
            if missing.count > 1 << 20 {
                try file.append(missing)
                missing = []
            }
        }
        try file.append(missing)
    }

    /// Sees to it that the last whole line stands where the journal says.
    private static func checkLast(
        _ share: Share, in file: AppendFile, _ database: Database
    ) throws {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT place, line FROM outcome
                WHERE \(share.condition) AND place + LENGTH(line) <= \(file.size)
                ORDER BY place DESC LIMIT 1
                """,
            arguments: share.arguments)
        guard let row else { return }
        let place: Int = row["place"]
        let line: Data = row["line"]
        guard try file.read(place..<place + line.count).elementsEqual(line) else {
            throw AugmentationError.fileChanged(path: file.path, offset: place)
        }
    }

    /// Takes the failed examples out of the journal and, where nothing follows them, out of the file.
    private static func forgetFailed(
        _ file: AppendFile, _ run: Int64, _ database: Database
    ) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT place, LENGTH(line) AS bytes FROM outcome
                WHERE run = ? AND failed = 1 ORDER BY place DESC
                """,
            arguments: [run])
        var end = file.size
        while let row = try rows.next(), (row["place"] as Int) + (row["bytes"] as Int) == end {
            end = row["place"]
        }
        try database.execute(
            sql: "DELETE FROM outcome WHERE run = ? AND failed = 1", arguments: [run])
        // Should this process end here, the rows are still there, and so will be the lines.
        try file.truncate(to: end)
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
