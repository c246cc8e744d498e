/// The kinds of file Hone reads.
public enum RecordFormat: String, Sendable, Hashable, CaseIterable {
    // Raw inputs; each becomes an example.
    case alpaca, sharegpt, gsm8k, mbpp, conala, aqua, math, flan, drrepair
    // Records that are kept as they are, once they have the fields of their kind.
    case chains, chat, questions, answers, reviews, prompts, reviewers
    // Any JSON objects.
    case lines

    /// What the rows become.
    public enum Kind: String, Sendable, Hashable { case example, chain, record }

    public var kind: Kind {
        switch self {
        case .alpaca, .sharegpt, .gsm8k, .mbpp, .conala, .aqua, .math, .flan, .drrepair: .example
        case .chains: .chain
        case .chat, .questions, .answers, .reviews, .prompts, .reviewers, .lines: .record
        }
    }

    /// Fields without which a record is none of its kind.
    var requiredFields: [String] {
        switch self {
        case .questions: ["question_id", "text"]
        case .answers: ["question_id", "text"]
        case .reviews: ["question_id", "text", "score"]
        case .prompts: ["prompt_id", "system_prompt", "prompt_template"]
        case .reviewers: ["reviewer_id", "prompt_id"]
        default: []
        }
    }
}
