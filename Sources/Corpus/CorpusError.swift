/// What can go wrong with the world's files and rows.
public enum CorpusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A call of the operating system failed.
    case file(path: String, call: String, errno: Int32)
    /// The stream itself cannot be read on: no row of it is to blame alone.
    case stream(JSONError)
    /// A record lacks what its kind must have.
    case record(line: Int, field: String, expected: String, found: String)

    public var description: String {
        switch self {
        case .file(let path, let call, let errno):
            "\(path): \(call) failed with errno \(errno) (\(SystemErrors.text(of: errno)))"
        case .stream(let error): error.description
        case .record(let line, let field, let expected, let found):
            "line \(line): '\(field)' must be \(expected) and is \(found)"
        }
    }
}
