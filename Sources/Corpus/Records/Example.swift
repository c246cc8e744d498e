/// A training record: what is asked, and perhaps the answer.
public struct Example: Sendable, Hashable {
    /// Every key of the record in its order, also those Hone does not know.
    public private(set) var fields: JSONObject

    public init(instruction: String, input: String = "", output: String? = nil) {
        fields = ["instruction": .string(instruction), "input": .string(input)]
        if let output { fields["output"] = .string(output) }
    }

    /// - Parameter line: where the record stood, for the error.
    public init(_ json: JSON, line: Int = 1) throws(CorpusError) {
        let reader = try FieldReader(json, line: line)
        _ = try reader.string("instruction")
        _ = try reader.optionalString("input")
        _ = try reader.optionalString("output")
        fields = reader.object
    }

    public var json: JSON { .object(fields) }
    public var instruction: String { fields["instruction"]?.stringValue ?? "" }
    public var input: String { fields["input"]?.stringValue ?? "" }
    public var output: String? { fields["output"]?.stringValue }
}
