/// One answer text of a chain, and what was said about it.
public struct Draft: Sendable, Hashable {
    public private(set) var fields: JSONObject

    public init(output: String, feedback: String? = nil) {
        fields = ["output": .string(output)]
        if let feedback { fields["feedback"] = .string(feedback) }
    }

    init(_ json: JSON, line: Int) throws(CorpusError) {
        let reader = try FieldReader(json, line: line)
        _ = try reader.string("output")
        _ = try reader.optionalString("feedback")
        fields = reader.object
    }

    public var json: JSON { .object(fields) }
    public var output: String { fields["output"]?.stringValue ?? "" }
    public var feedback: String? { fields["feedback"]?.stringValue }
}

/// Drafts with feedback: the record that augmentation writes and training reads.
///
/// ```
/// {"iteration_truncated": …, "output": gold, "instruction": …, "input": …, "iteration": n,
///  "outputs": [{"output": …, "feedback": …} × n], "dataset": …}
/// ```
/// `output` is only in chains made with a gold answer, `dataset` only after a merge. Keys keep their
/// order, and unknown ones are kept, so that a record is written as it was read.
public struct Chain: Sendable, Hashable {
    public private(set) var fields: JSONObject
    public private(set) var drafts: [Draft]

    /// - Parameter gold: the answer the teacher saw.
    public init(
        iterationTruncated: Bool = false, gold: String? = nil, instruction: String,
        input: String = "", outputs: [Draft], dataset: String? = nil
    ) {
        fields = ["iteration_truncated": .bool(iterationTruncated)]
        if let gold { fields["output"] = .string(gold) }
        fields["instruction"] = .string(instruction)
        fields["input"] = .string(input)
        fields["iteration"] = .int(outputs.count)
        fields["outputs"] = .array(outputs.map(\.json))
        if let dataset { fields["dataset"] = .string(dataset) }
        drafts = outputs
    }

    /// Reads a chain; one without drafts is none.
    ///
    /// - Parameter line: where the record stood, for the error.
    public init(_ json: JSON, line: Int = 1) throws(CorpusError) {
        let reader = try FieldReader(json, line: line)
        _ = try reader.string("instruction")
        _ = try reader.optionalString("input")
        _ = try reader.optionalString("output")
        _ = try reader.optionalString("dataset")
        if reader.object["iteration"] != nil { _ = try reader.int("iteration") }
        if reader.object["iteration_truncated"] != nil {
            _ = try reader.bool("iteration_truncated")
        }
        var drafts: [Draft] = []
        for element in try reader.array("outputs") {
            drafts.append(try Draft(element, line: line))
        }
        if drafts.isEmpty {
            throw .record(
                line: line, field: "outputs", expected: "an array of drafts", found: "empty")
        }
        fields = reader.object
        self.drafts = drafts
    }

    public var json: JSON { .object(fields) }
    public var instruction: String { fields["instruction"]?.stringValue ?? "" }
    public var input: String { fields["input"]?.stringValue ?? "" }
    public var gold: String? { fields["output"]?.stringValue }
    /// How many drafts the record says it has; the number of drafts where it says nothing.
    public var iteration: Int { fields["iteration"]?.intValue ?? drafts.count }
    /// Whether the chain ended only because it had reached its longest length.
    public var iterationTruncated: Bool { fields["iteration_truncated"]?.boolValue ?? false }
    public var outputs: [Draft] { drafts }

    /// Where the chain came from, as a merge writes it.
    public var dataset: String? {
        get { fields["dataset"]?.stringValue }
        set { fields["dataset"] = newValue.map(JSON.string) }
    }
}
