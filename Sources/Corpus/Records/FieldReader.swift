/// Reads the fields of a record, and says which one is not what it must be.
struct FieldReader {
    let object: JSONObject
    private let line: Int

    init(_ json: JSON, line: Int) throws(CorpusError) {
        guard case .object(let object) = json else {
            throw .record(line: line, field: "", expected: "an object", found: json.kind)
        }
        self.object = object
        self.line = line
    }

    func string(_ key: String) throws(CorpusError) -> String {
        guard let value = object[key]?.stringValue else { throw missing(key, "a string") }
        return value
    }

    /// The string under `key`; nil where the key is missing or null.
    func optionalString(_ key: String) throws(CorpusError) -> String? {
        guard let value = object[key], !value.isNull else { return nil }
        guard let text = value.stringValue else { throw missing(key, "a string") }
        return text
    }

    func array(_ key: String) throws(CorpusError) -> [JSON] {
        guard let value = object[key]?.arrayValue else { throw missing(key, "an array") }
        return value
    }

    func int(_ key: String) throws(CorpusError) -> Int {
        guard let value = object[key]?.intValue else { throw missing(key, "an integer") }
        return value
    }

    func bool(_ key: String) throws(CorpusError) -> Bool {
        guard let value = object[key]?.boolValue else { throw missing(key, "a bool") }
        return value
    }

    func strings(_ key: String) throws(CorpusError) -> [String] {
        var strings: [String] = []
        for element in try array(key) {
            guard let text = element.stringValue else { throw missing(key, "an array of strings") }
            strings.append(text)
        }
        return strings
    }

    func missing(_ key: String, _ expected: String) -> CorpusError {
        .record(
            line: line, field: key, expected: expected, found: object[key]?.kind ?? "missing")
    }
}
