/// One row of an answer file, as the released ones are written: their members in their order, text
/// beyond ASCII as it is.
public struct AnswerRow: Sendable, Equatable {
    public var questionID: JSON
    /// The final answer.
    public var text: String
    /// The prompt, then all that was generated.
    public var wholeGeneration: String
    public var answerID: String
    public var modelID: String
    public var metadata = JSONObject()
    /// What the original does not keep; written last.
    public var others = JSONObject()

    public init(
        questionID: JSON, text: String, wholeGeneration: String, answerID: String, modelID: String
    ) {
        self.questionID = questionID
        self.text = text
        self.wholeGeneration = wholeGeneration
        self.answerID = answerID
        self.modelID = modelID
    }

    /// Reads a row; nil if it lacks the question's id, the text or the model's.
    public init?(_ json: JSON) {
        guard let object = json.objectValue, let questionID = object["question_id"],
            let text = object["text"]?.stringValue, let modelID = object["model_id"]?.stringValue
        else { return nil }
        self.init(
            questionID: questionID, text: text,
            wholeGeneration: object["whole_generation"]?.stringValue ?? "",
            answerID: object["answer_id"]?.stringValue ?? "", modelID: modelID)
        metadata = object["metadata"]?.objectValue ?? JSONObject()
        let own = [
            "question_id", "text", "whole_generation", "answer_id", "model_id", "metadata",
        ]
        for member in object.members where !own.contains(member.key) {
            others[member.key] = member.value
        }
    }

    public var json: JSON {
        var object: JSONObject = [
            "question_id": questionID, "text": .string(text),
            "whole_generation": .string(wholeGeneration), "answer_id": .string(answerID),
            "model_id": .string(modelID), "metadata": .object(metadata),
        ]
        for member in others.members { object[member.key] = member.value }
        return .object(object)
    }

    /// The row with its newline.
    public func line() -> [UInt8] { json.line(.python(isASCII: false)) }
}
