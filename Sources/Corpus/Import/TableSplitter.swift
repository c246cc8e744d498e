/// Cuts a stream of tab-separated lines into rows.
struct TableSplitter: Sendable {
    private var pending: [UInt8] = []
    private var line = 1
    private var offset = 0

    mutating func push(_ bytes: [UInt8]) -> [JSONRecordSplitter.Record] {
        var rows: [JSONRecordSplitter.Record] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: 0x0A) {
            pending += bytes[start..<end]
            if let row = takeRow() { rows.append(row) }
            line += 1
            start = end + 1
        }
        pending += bytes[start...]
        return rows
    }

    mutating func finish() -> JSONRecordSplitter.Record? { takeRow() }

    private mutating func takeRow() -> JSONRecordSplitter.Record? {
        if pending.last == 0x0D { pending.removeLast() }
        defer {
            offset += pending.count + 1
            pending = []
        }
        if pending.isEmpty { return nil }
        return JSONRecordSplitter.Record(bytes: pending, offset: offset, line: line)
    }

    /// The cells as an array of strings; the two characters `\n` inside a cell are a line break.
    static func json(of row: JSONRecordSplitter.Record) -> JSON {
        let cells = row.bytes.split(
            separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        return .array(
            cells.map { cell in
                let text = String(decoding: cell, as: UTF8.self)
                return .string(
                    text.split(separator: "\\n", omittingEmptySubsequences: false)
                        .joined(separator: "\n"))
            })
    }
}
