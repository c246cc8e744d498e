package import RPC

/// Why a run cannot begin or go on.
package enum TrainerError: Error, Sendable, Equatable, CustomStringConvertible {
    case badSetting(flag: String, value: String, expected: String)
    case noModel(path: String)
    case noData(path: String)
    case badData(path: String, reason: String)
    case badChain(path: String, line: Int, reason: String)
    case badConfiguration(reason: String)
    case nothingToLearn(sequences: Int, length: Int)
    case noEndOfSequence(path: String)
    case diverged(step: Int)
    case unknownRun(id: String)
    case notRunning(id: String)
    case mismatch(String)

    package var description: String {
        switch self {
        case .badSetting(let flag, let value, let expected):
            "\(flag) is \"\(value)\"; give \(expected)"
        case .noModel(let path):
            "\(path) is no model folder: it has no config.json; give a folder in Hugging Face layout"
        case .noData(let path):
            "\(path) holds no chains; give a JSON array or JSON Lines of them"
        case .badData(let path, let reason):
            "\(path) cannot be read as chains: \(reason)"
        case .badChain(let path, let line, let reason):
            "\(path), record \(line): \(reason)"
        case .badConfiguration(let reason):
            "the model configuration cannot be used: \(reason)"
        case .nothingToLearn(let sequences, let length):
            "none of \(sequences) sequences has a token to learn within \(length) tokens; "
                + "raise --model_max_length"
        case .noEndOfSequence(let path):
            "the tokenizer of \(path) names no end-of-sequence token; add it to tokenizer_config.json"
        case .diverged(let step):
            "the loss is not a number at step \(step); lower --learning_rate or look at the data"
        case .unknownRun(let id): "there is no run \(id)"
        case .notRunning(let id): "the run \(id) is not running"
        case .mismatch(let reason): reason
        }
    }
}

extension TrainerError: StatusConvertible {
    package var status: Status {
        switch self {
        case .unknownRun: Status(.notFound, description)
        case .notRunning: Status(.failedPrecondition, description)
        case .diverged: Status(.aborted, description)
        default: Status(.invalidArgument, description)
        }
    }
}
