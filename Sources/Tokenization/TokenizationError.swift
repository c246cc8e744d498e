/// What can be wrong with a tokenizer's files, or with a request to them.
public enum TokenizationError: Error, Equatable, CustomStringConvertible {
    /// A file could not be read or written.
    case unreadable(path: String, cause: String)
    /// No tokenizer file was found in a folder.
    case missing(folder: String, expected: [String])
    /// A file's bytes are not what its format demands.
    case malformed(format: String, offset: Int, cause: String)
    /// The file asks for something that is not implemented, so its ids could not be trusted.
    case unsupported(feature: String, value: String)
    /// Too little to train on, or contradictory settings.
    case untrainable(cause: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let cause):
            "cannot use \(path): \(cause); check the path and its permissions"
        case .missing(let folder, let expected):
            "no tokenizer in \(folder): expected one of \(expected.joined(separator: ", "))"
        case .malformed(let format, let offset, let cause):
            "not a valid \(format) at byte \(offset): \(cause); fetch the file again"
        case .unsupported(let feature, let value):
            "the tokenizer's \(feature) “\(value)” is not supported; convert it with another one"
        case .untrainable(let cause):
            "cannot train a vocabulary: \(cause)"
        }
    }
}
