internal import Corpus

/// The rows of one JSON or JSON Lines file, each field checked as it is taken.
struct Rows {
    let file: String
    let rows: [JSONObject]

    init(_ bytes: [UInt8], file: String) throws(JudgingError) {
        self.file = file
        do throws(JSONError) {
            rows = try Self.objects(in: bytes)
        } catch {
            throw .json(file: file, reason: error.description)
        }
    }

    private static func objects(in bytes: [UInt8]) throws(JSONError) -> [JSONObject] {
        var splitter = JSONRecordSplitter()
        var records = try splitter.push(bytes)
        if let last = try splitter.finish() { records.append(last) }
        var rows: [JSONObject] = []
        for record in records {
            guard let object = try record.parse().objectValue else {
                throw JSONError(
                    cause: .unexpectedEnd(expected: "an object"), offset: record.offset,
                    line: record.line)
            }
            rows.append(object)
        }
        return rows
    }

    /// Makes one value of each row.
    func map<Value>(
        _ make: (Row) throws(JudgingError) -> Value
    ) throws(JudgingError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(rows.count)
        for (index, object) in rows.enumerated() {
            values.append(try make(Row(file: file, number: index + 1, object: object)))
        }
        return values
    }
}

/// One row, with the place to name in an error.
struct Row {
    let file: String
    let number: Int
    let object: JSONObject

    func string(_ name: String) throws(JudgingError) -> String {
        guard let value = object[name]?.stringValue else { throw wrong(name, "a string") }
        return value
    }

    func int(_ name: String) throws(JudgingError) -> Int {
        guard let value = object[name]?.intValue else { throw wrong(name, "an integer") }
        return value
    }

    func wrong(_ name: String, _ expected: String) -> JudgingError {
        .field(file: file, row: number, name: name, expected: expected)
    }
}
