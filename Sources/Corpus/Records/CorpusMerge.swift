/// Joins datasets as the original does: file after file, each record labelled, nothing dropped.
public enum CorpusMerge {
    /// The record with its label: behind all other keys, or in place where there was one.
    public static func labelled(_ record: JSON, _ label: String) -> JSON {
        var record = record
        record["dataset"] = .string(label)
        return record
    }

    /// Writes the files' chains as one JSON array, labelled by the files' names.
    ///
    /// - Returns: how many records were written.
    public static func merge(paths: [String], to path: String) throws -> Int {
        let file = try AtomicFile(temporaryPath: path + ".merging")
        var writer = RecordArrayWriter(style: .pythonArray)
        for source in paths {
            let label = DatasetLabel.label(ofFileNamed: source)
            for record in try FileImport.records(path: source, format: .chains) {
                try file.write(writer.element(labelled(record, label).bytes(.python)))
            }
        }
        try file.write(writer.end())
        try file.commit(to: path)
        return writer.count
    }
}

/// Writes records one after the other as a JSON array.
public struct RecordArrayWriter: Sendable {
    public enum Style: Sendable {
        /// All on one line, as `json.dumps` does.
        case pythonArray
        /// Four spaces a level, as `json.dumps(…, indent=4)`; elements must be written so.
        case pythonIndented
    }

    private let style: Style
    public private(set) var count = 0

    public init(style: Style) { self.style = style }

    /// The bytes that put one more element into the array.
    public mutating func element(_ bytes: [UInt8]) -> [UInt8] {
        defer { count += 1 }
        let separator: String =
            switch (style, count == 0) {
            case (.pythonArray, true): "["
            case (.pythonArray, false): ", "
            case (.pythonIndented, true): "[\n    "
            case (.pythonIndented, false): ",\n    "
            }
        guard style == .pythonIndented else { return Array(separator.utf8) + bytes }
        // Strings hold no line break, so each break in the bytes is one of the layout.
        var indented: [UInt8] = []
        for byte in bytes {
            indented.append(byte)
            if byte == 0x0A { indented += [0x20, 0x20, 0x20, 0x20] }
        }
        return Array(separator.utf8) + indented
    }

    /// The bytes that end the array.
    public func end() -> [UInt8] {
        if count == 0 { return Array("[]".utf8) }
        return Array((style == .pythonArray ? "]" : "\n]").utf8)
    }
}
