internal import Corpus

/// Why a judgement cannot be asked for, read or added up.
public enum JudgingError: Error, Sendable, Equatable, CustomStringConvertible {
    case json(file: String, reason: String)
    case field(file: String, row: Int, name: String, expected: String)
    case counts(questions: Int, first: Int, second: Int)
    case order(index: Int, question: Int, first: Int, second: Int)
    case noReviewer(file: String)
    case noPrompt(id: Int, reviewer: String)
    case template(name: String, prompt: Int)
    case noScores(text: String)
    case outOfRange(scores: Scores, lowest: Double, highest: Double)
    case unpaired(question: Int, missingFrom: String)
    case repeated(question: Int, file: String)
    case noReviews(file: String)

    public var description: String {
        switch self {
        case .json(let file, let reason):
            "\(file): \(reason); it must hold JSON objects, one a line or in one array"
        case .field(let file, let row, let name, let expected):
            "\(file), row \(row): field \"\(name)\" is not \(expected)"
        case .counts(let questions, let first, let second):
            "\(questions) questions, but \(first) first and \(second) second answers;"
                + " the three files must have a row for each question"
        case .order(let index, let question, let first, let second):
            "row \(index + 1) asks question \(question), but the answers there are to"
                + " \(first) and \(second); put the files in one order"
        case .noReviewer(let file):
            "\(file) names no reviewer; it needs at least the general one, first"
        case .noPrompt(let id, let reviewer):
            "reviewer \(reviewer) asks for prompt \(id), which the prompt file does not hold"
                + " in that place"
        case .template(let name, let prompt):
            "the template of prompt \(prompt) wants {\(name)}, which nothing fills"
        case .noScores(let text):
            "the review gives no pair of scores; it ends: \(text)"
        case .outOfRange(let scores, let lowest, let highest):
            "the review gives \(scores), which is off the scale of \(lowest) to \(highest)"
        case .unpaired(let question, let file):
            "question \(question) has no review in \(file); both orders must judge the same"
        case .repeated(let question, let file):
            "question \(question) stands twice in \(file)"
        case .noReviews(let file):
            "\(file) holds no review with scores; there is nothing to add up"
        }
    }
}
