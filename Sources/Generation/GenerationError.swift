/// Why a sequence could not be generated.
public enum GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Too many sequences wait already.
    case queueFull(waiting: Int)
    /// No model runs, or it ended while the sequence was under way.
    case notRunning
    /// The sequence does not fit into the model's context.
    case tooLong(tokens: Int, limit: Int)
    /// Nothing to begin with.
    case emptyPrompt
    /// An id that the model does not have.
    case unknownToken(id: Int, vocabulary: Int)
    /// The model refused a step.
    case model(cause: String)
    /// A setting out of its range.
    case badSetting(name: String, value: String, expected: String)

    public var description: String {
        switch self {
        case .queueFull(let waiting):
            "\(waiting) requests wait already; try again later or ask another replica"
        case .notRunning: "no model is running; load one and ask again"
        case .tooLong(let tokens, let limit):
            "the prompt has \(tokens) tokens and the model's context \(limit); shorten the prompt"
        case .emptyPrompt: "the prompt has no tokens; give at least one"
        case .unknownToken(let id, let vocabulary):
            "token \(id) is outside the vocabulary of \(vocabulary); use this model's tokenizer"
        case .model(let cause): "the model failed: \(cause)"
        case .badSetting(let name, let value, let expected):
            "\(name) is \(value); it must be \(expected)"
        }
    }
}
