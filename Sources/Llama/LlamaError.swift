/// What can be wrong with a checkpoint folder or a request to a model.
public enum LlamaError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file of the folder cannot be read.
    case unreadable(file: String, reason: String)
    /// config.json lacks a value or has an impossible one.
    case configuration(file: String, key: String, problem: String)
    /// A safetensors header breaks its format.
    case header(file: String, problem: String)
    /// A tensor's entry breaks its format or does not fit the model.
    case tensor(file: String, name: String, problem: String)
    /// The folder has none of the files weights are read from.
    case noWeights(folder: String, found: [String])
    /// A token that the vocabulary does not have.
    case token(Int32, vocabulary: Int)
    /// More tokens than the cache has room for.
    case cacheFull(count: Int, adding: Int, capacity: Int)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "\(file): cannot be read: \(reason)"
        case .configuration(let file, let key, let problem):
            "\(file): \"\(key)\" \(problem)"
        case .header(let file, let problem):
            "\(file): not a valid safetensors file: \(problem)"
        case .tensor(let file, let name, let problem):
            "\(file): tensor \(name): \(problem)"
        case .noWeights(let folder, let found):
            "\(folder): no model.safetensors or model.safetensors.index.json"
                + (found.contains { $0.hasSuffix(".bin") }
                    ? "; it holds PyTorch .bin files: load it in transformers and save it again"
                        + " with save_pretrained(folder, safe_serialization=True)"
                    : "")
        case .token(let token, let vocabulary):
            "token \(token) is outside the vocabulary of \(vocabulary)"
        case .cacheFull(let count, let adding, let capacity):
            "the cache holds \(count) of \(capacity) positions and has no room for \(adding) more"
        }
    }
}
