import Generation
import Llama
import RPC
import Tokenization

/// Why the service could not do what it was asked.
enum InferenceError: Error, Sendable, Equatable, CustomStringConvertible {
    case noModel
    case otherModel(asked: String, loaded: String)
    case noTokenizer(path: String)
    case unknownModel(name: String)
    case badFile(path: String, cause: String)
    case badRequest(cause: String)

    var description: String {
        switch self {
        case .noModel: "no model is loaded; name one with --model, or with the call Load"
        case .otherModel(let asked, let loaded):
            "the model “\(asked)” is not loaded; ask for “\(loaded)” or load the other one"
        case .noTokenizer(let path):
            "\(path) has no tokenizer; put tokenizer.json or tokenizer.model there, or give ids"
        case .unknownModel(let name):
            "“\(name)” is neither a folder here nor a registered model; check the name"
        case .badFile(let path, let cause): "cannot use \(path): \(cause)"
        case .badRequest(let cause): cause
        }
    }
}

extension InferenceError: StatusConvertible {
    var status: Status {
        switch self {
        case .noModel: Status(.failedPrecondition, description)
        case .otherModel, .unknownModel: Status(.notFound, description)
        case .noTokenizer: Status(.failedPrecondition, description)
        case .badFile: Status(.failedPrecondition, description)
        case .badRequest: Status(.invalidArgument, description)
        }
    }
}

extension Status {
    /// The status of an error of the engine, which knows nothing of calls.
    init(engine error: any Error) {
        switch error {
        case let error as GenerationError:
            let code: Code =
                switch error {
                case .queueFull: .resourceExhausted
                case .notRunning: .unavailable
                case .model: .internal
                case .tooLong: .outOfRange
                case .emptyPrompt, .unknownToken, .badSetting: .invalidArgument
                }
            self.init(code, error.description)
        case let error as TokenizationError: self.init(.failedPrecondition, error.description)
        case let error as LlamaError: self.init(.failedPrecondition, error.description)
        default: self.init(describing: error)
        }
    }
}
