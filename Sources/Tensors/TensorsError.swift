/// What can go wrong with files of numbers.
public enum TensorsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A system call on a path failed.
    case system(call: String, path: String, code: Int32, message: String)
    /// Bytes outside a file were asked for.
    case outside(path: String, offset: Int, count: Int, fileBytes: Int)

    public var description: String {
        switch self {
        case .system(let call, let path, _, let message):
            "\(path): \(call) failed: \(message)"
        case .outside(let path, let offset, let count, let fileBytes):
            "\(path): \(count) bytes at \(offset) are wanted, but it has \(fileBytes)"
        }
    }
}
