/// Cuts a stream of bytes into the records it holds, in memory that depends on the longest record
/// alone: bytes in, records out.
///
/// ```
///             '['                      record ','            ']'
///   start ──────────▶ array: before ──────────────▶ … ──────────────▶ end: white space only
///     │ anything else
///     └─────────────▶ lines: a record a line, the last one with or without its newline
/// ```
///
/// The form is told by the first byte that is not white space, never by the name of the file: a
/// `.json` file may hold lines, and a `.jsonl` file an array. Blank lines are passed over.
public struct JSONRecordSplitter: Sendable {
    /// One record, not yet parsed, and where it stood.
    public struct Record: Sendable, Hashable {
        public let bytes: [UInt8]
        /// Bytes before the record in the stream.
        public let offset: Int
        /// The line it begins on, counted from 1.
        public let line: Int

        /// Parses the record; errors say the place in the stream.
        public func parse(_ limits: JSON.Limits = .python) throws(JSONError) -> JSON {
            do {
                return try JSON(parsing: bytes, limits: limits)
            } catch {
                throw error.moved(byOffset: offset, lines: line - 1)
            }
        }
    }

    private enum Form: Sendable { case unknown, lines, array, arrayEnded }

    private let maximumRecordBytes: Int
    private var form = Form.unknown
    private var scan = ElementScan()
    private var pending: [UInt8] = []
    private var pendingOffset = 0
    private var pendingLine = 1
    private var offset = 0
    private var line = 1

    /// - Parameter maximumRecordBytes: a longer record is an error, so that a stream without
    ///   newlines cannot fill the memory.
    public init(maximumRecordBytes: Int = 64 << 20) {
        self.maximumRecordBytes = maximumRecordBytes
    }

    /// Whether the stream turned out to be one array; nil while nothing but white space was seen.
    public var isArray: Bool? {
        switch form {
        case .unknown: nil
        case .lines: false
        case .array, .arrayEnded: true
        }
    }

    /// Takes the next bytes, and returns the records they complete.
    public mutating func push(_ bytes: some Sequence<UInt8>) throws(JSONError) -> [Record] {
        var records: [Record] = []
        var rest = ArraySlice(bytes)
        while let byte = rest.first {
            if form == .lines {
                try takeLine(from: &rest, into: &records)
                continue
            }
            try take(byte, into: &records)
            rest.removeFirst()
            offset += 1
            if byte == 0x0A { line += 1 }
        }
        return records
    }

    /// Ends the stream: returns the last line if it had no newline, and refuses an array cut short.
    public mutating func finish() throws(JSONError) -> Record? {
        switch form {
        case .array: throw error(.unexpectedEnd(expected: "the ']' that ends the array"))
        case .lines: return takeRecord()
        case .unknown, .arrayEnded: return nil
        }
    }

    /// Takes what there is of a line, all at once.
    private mutating func takeLine(
        from rest: inout ArraySlice<UInt8>, into records: inout [Record]
    ) throws(JSONError) {
        let end = rest.firstIndex(of: 0x0A)
        let piece = rest[..<(end ?? rest.endIndex)]
        if pending.isEmpty {
            pendingOffset = offset
            pendingLine = line
        }
        if pending.count + piece.count > maximumRecordBytes {
            offset += maximumRecordBytes - pending.count
            throw error(.tooLong(limit: maximumRecordBytes))
        }
        pending += piece
        offset += piece.count
        rest.removeFirst(piece.count)
        guard end != nil else { return }
        rest.removeFirst()
        offset += 1
        line += 1
        if let record = takeRecord() { records.append(record) }
    }

    private mutating func take(_ byte: UInt8, into records: inout [Record]) throws(JSONError) {
        switch form {
        case .unknown: try begin(with: byte)
        case .lines: try keep(byte)
        case .array: try takeElement(byte, into: &records)
        case .arrayEnded:
            if !Self.isSpace(byte) { throw error(.trailingByte(byte)) }
        }
    }

    /// A byte order mark stands before everything and is no part of it.
    private mutating func begin(with byte: UInt8) throws(JSONError) {
        if offset < 3, [0xEF, 0xBB, 0xBF][offset] == byte { return }
        if Self.isSpace(byte) { return }
        if byte == UInt8(ascii: "[") {
            form = .array
        } else {
            form = .lines
            try keep(byte)
        }
    }

    private mutating func takeElement(
        _ byte: UInt8, into records: inout [Record]
    ) throws(JSONError) {
        if scan.isOutside {
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") {
                if let record = takeRecord() {
                    records.append(record)
                    scan.elements += 1
                } else if byte == UInt8(ascii: ",") || scan.elements > 0 {
                    throw error(.unexpectedByte(byte, expected: "a value"))
                }
                if byte == UInt8(ascii: "]") { form = .arrayEnded }
                return
            }
            if pending.isEmpty, Self.isSpace(byte) { return }
        }
        scan.take(byte)
        try keep(byte)
    }

    private mutating func keep(_ byte: UInt8) throws(JSONError) {
        if pending.isEmpty {
            pendingOffset = offset
            pendingLine = line
        }
        if pending.count >= maximumRecordBytes {
            throw error(.tooLong(limit: maximumRecordBytes))
        }
        pending.append(byte)
    }

    private mutating func takeRecord() -> Record? {
        defer { pending = [] }
        guard !pending.allSatisfy(Self.isSpace) else { return nil }
        return Record(bytes: pending, offset: pendingOffset, line: pendingLine)
    }

    private func error(_ cause: JSONError.Cause) -> JSONError {
        JSONError(cause: cause, offset: offset, line: line)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}

/// Where the bytes of an array's element stand: how deep, and whether inside a string.
private struct ElementScan: Sendable {
    var elements = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    var isOutside: Bool { depth <= 0 && !isInString }

    mutating func take(_ byte: UInt8) {
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
    }
}
