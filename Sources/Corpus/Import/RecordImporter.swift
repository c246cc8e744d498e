/// Turns the bytes of a file into records, row by row: bytes in, outcomes out.
///
/// Every row has an outcome; none is lost. Memory depends on the longest row, and, where duplicates
/// are dropped, on the number of rows.
public struct RecordImporter: Sendable {
    public let format: RecordFormat
    public let options: ImportOptions
    public private(set) var keptCount = 0

    private var splitter: JSONRecordSplitter
    private var table: TableSplitter?
    private var deduplicator = Deduplicator()
    private var isBegun = false

    public init(
        format: RecordFormat, options: ImportOptions = ImportOptions(),
        maximumRecordBytes: Int = 64 << 20
    ) {
        self.format = format
        self.options = options
        splitter = JSONRecordSplitter(maximumRecordBytes: maximumRecordBytes)
    }

    /// Whether the limit is reached, and no further bytes are needed.
    public var isFull: Bool { options.limit.map { keptCount >= $0 } ?? false }

    /// Takes the next bytes of the file.
    public mutating func push(_ bytes: [UInt8]) throws(CorpusError) -> [ImportOutcome] {
        beginTableIfNeeded(bytes)
        if var table {
            defer { self.table = table }
            return outcomes(of: table.push(bytes))
        }
        do {
            return outcomes(of: try splitter.push(bytes))
        } catch {
            throw .stream(error)
        }
    }

    /// Ends the file.
    public mutating func finish() throws(CorpusError) -> [ImportOutcome] {
        if var table {
            defer { self.table = table }
            return outcomes(of: table.finish().map { [$0] } ?? [])
        }
        do {
            return outcomes(of: try splitter.finish().map { [$0] } ?? [])
        } catch {
            throw .stream(error)
        }
    }

    /// FLAN comes as tables and as JSON; the first character that is not white space tells which.
    private mutating func beginTableIfNeeded(_ bytes: [UInt8]) {
        guard !isBegun, format == .flan,
            let first = bytes.first(where: { $0 > 0x20 && $0 < 0x80 })
        else { return }
        isBegun = true
        if first != UInt8(ascii: "{"), first != UInt8(ascii: "[") { table = TableSplitter() }
    }

    private mutating func outcomes(of rows: [JSONRecordSplitter.Record]) -> [ImportOutcome] {
        var outcomes: [ImportOutcome] = []
        for row in rows where !isFull {
            do throws(Rejection) {
                let json = try parse(row)
                for record in try RecordReader(options: options, format: format).read(json, row) {
                    guard !isFull else { break }
                    outcomes.append(keep(record, of: row))
                }
            } catch {
                outcomes.append(.rejected(error))
            }
        }
        return outcomes
    }

    private func parse(_ row: JSONRecordSplitter.Record) throws(Rejection) -> JSON {
        if table != nil { return TableSplitter.json(of: row) }
        do {
            return try row.parse()
        } catch {
            throw Rejection(
                reason: .invalidJSON, detail: error.description, line: row.line, row: row.bytes)
        }
    }

    private mutating func keep(
        _ json: JSON, of row: JSONRecordSplitter.Record
    ) -> ImportOutcome {
        let record = ImportedRecord(json: json, bytes: Self.line(of: json, row), line: row.line)
        if options.dropsDuplicates, !deduplicator.isNew(json) {
            return .rejected(
                Rejection(
                    reason: .duplicate, detail: "equal to an earlier row", line: row.line,
                    row: row.bytes))
        }
        keptCount += 1
        return .kept(record)
    }

    /// The original writes some files in ASCII and some in UTF-8; both forms stay as they are.
    private static func line(of json: JSON, _ row: JSONRecordSplitter.Record) -> [UInt8] {
        let ascii = json.bytes(.python)
        if row.bytes != ascii {
            let unicode = json.bytes(.python(isASCII: false))
            if row.bytes == unicode { return unicode }
        }
        return ascii
    }
}
