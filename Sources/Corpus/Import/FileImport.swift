/// Reads a whole file through an importer, in constant memory.
public enum FileImport {
    /// Calls `body` with every outcome in the file's order.
    ///
    /// - Returns: how many rows were kept, and how many were not, by reason.
    @discardableResult
    public static func read(
        path: String, format: RecordFormat, options: ImportOptions = ImportOptions(),
        _ body: (ImportOutcome) throws -> Void
    ) throws -> ImportCounts {
        let reader = try FileReader(path: path)
        var importer = RecordImporter(format: format, options: options)
        var counts = ImportCounts()
        func take(_ outcomes: [ImportOutcome]) throws {
            for outcome in outcomes {
                counts.add(outcome)
                try body(outcome)
            }
        }
        while !importer.isFull {
            let bytes = try reader.read()
            if bytes.isEmpty { break }
            try take(importer.push(bytes))
        }
        if !importer.isFull { try take(importer.finish()) }
        return counts
    }

    /// The records of a file; a row that is none is an error.
    public static func records(path: String, format: RecordFormat) throws -> [JSON] {
        var records: [JSON] = []
        try read(path: path, format: format) { outcome in
            switch outcome {
            case .kept(let record): records.append(record.json)
            case .rejected(let rejection):
                throw CorpusError.record(
                    line: rejection.line, field: "row", expected: "a row of \(format.rawValue)",
                    found: rejection.detail)
            }
        }
        return records
    }

    /// The chains of a file, array or lines.
    public static func chains(path: String) throws -> [Chain] {
        try records(path: path, format: .chains).map { try Chain($0) }
    }
}

/// How many rows were kept and how many not.
public struct ImportCounts: Sendable, Hashable {
    public private(set) var kept = 0
    public private(set) var rejected: [Rejection.Reason: Int] = [:]

    public init() {}

    public var rejectedCount: Int { rejected.values.reduce(0, +) }

    public mutating func add(_ outcome: ImportOutcome) {
        switch outcome {
        case .kept: kept += 1
        case .rejected(let rejection): rejected[rejection.reason, default: 0] += 1
        }
    }
}
