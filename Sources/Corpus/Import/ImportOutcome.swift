/// What became of one row.
public enum ImportOutcome: Sendable, Hashable {
    case kept(ImportedRecord)
    case rejected(Rejection)
}

/// A row that was kept.
public struct ImportedRecord: Sendable, Hashable {
    public let json: JSON
    /// The record on one line, without a newline. Bytes that were one line in Python's form already
    /// are the ones read; everything else is written in that form.
    public let bytes: [UInt8]
    public let line: Int

    public init(json: JSON, bytes: [UInt8], line: Int) {
        self.json = json
        self.bytes = bytes
        self.line = line
    }
}

/// A row that was not kept, and why.
public struct Rejection: Error, Sendable, Hashable {
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        case invalidJSON = "invalid JSON"
        case invalidRow = "row of the wrong shape"
        case fewerThanTwoTurns = "fewer than two messages"
        case noHumanTurn = "no human message with an answer"
        case noText = "no text"
        case instructionNotEnglish = "instruction not English"
        case outputNotEnglish = "output not English"
        case question = "output ends with ?"
        case duplicate = "duplicate"
    }

    public let reason: Reason
    /// What exactly was wrong.
    public let detail: String
    public let line: Int
    /// The row as read, so that it can be repaired and read again.
    public let row: [UInt8]

    /// The rejection as a record: `{"line": …, "reason": …, "detail": …, "row": …}`.
    public var json: JSON {
        [
            "line": .int(line), "reason": .string(reason.rawValue), "detail": .string(detail),
            "row": .string(String(decoding: row, as: UTF8.self)),
        ]
    }
}
