import Corpus

/// Takes the fields of a request's object one by one, and knows which nobody took.
///
/// A field that is null counts as absent, as OpenAI's own service has it.
struct FieldReader {
    private var object: JSONObject
    private let prefix: String

    init(_ value: JSON, under name: String = "") {
        object = value.objectValue ?? JSONObject()
        prefix = name.isEmpty ? "" : name + "."
    }

    /// The fields not taken yet.
    var remaining: [String] {
        object.members.filter { !$0.value.isNull }.map { prefix + $0.key }
    }

    mutating func take(_ key: String) -> JSON? {
        defer { object[key] = nil }
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    mutating func string(_ key: String) throws -> String? {
        guard let value = take(key) else { return nil }
        guard let text = value.stringValue else { throw wrongType(key, "a string", value) }
        return text
    }

    mutating func bool(_ key: String) throws -> Bool? {
        guard let value = take(key) else { return nil }
        guard let bool = value.boolValue else { throw wrongType(key, "a boolean", value) }
        return bool
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let value = take(key) else { return nil }
        guard let number = value.intValue else { throw wrongType(key, "an integer", value) }
        guard range.contains(number) else {
            throw outOfRange(key, "\(number)", "\(range.lowerBound)", "\(range.upperBound)")
        }
        return number
    }

    mutating func number(_ key: String, _ range: ClosedRange<Double>) throws -> Double? {
        guard let value = take(key) else { return nil }
        guard let number = value.doubleValue else { throw wrongType(key, "a number", value) }
        guard range.contains(number) else {
            throw outOfRange(
                key, "\(number)", JSON.double(range.lowerBound).text(),
                JSON.double(range.upperBound).text())
        }
        return number
    }

    /// Refuses the fields nobody took.
    func finish() throws {
        guard let key = remaining.first else { return }
        throw OpenAIError(
            status: 400, message: "Unrecognized request argument supplied: \(key)",
            type: "invalid_request_error", parameter: key, code: "unknown_parameter")
    }

    private func wrongType(_ key: String, _ expected: String, _ value: JSON) -> OpenAIError {
        .invalid(
            "Invalid type for '\(prefix)\(key)': expected \(expected), but got \(value.kind) instead.",
            parameter: prefix + key, code: "invalid_type")
    }

    private func outOfRange(
        _ key: String, _ value: String, _ low: String, _ high: String
    ) -> OpenAIError {
        .invalid(
            "Invalid value for '\(prefix)\(key)': \(value) is not between \(low) and \(high).",
            parameter: prefix + key, code: "invalid_value")
    }
}
