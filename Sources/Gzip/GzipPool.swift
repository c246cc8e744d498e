import Synchronization

/// Compresses and expands gzip, with states that are made once and used again and again.
///
/// A state is up to 256 KiB large; each is used by one task at a time. At most eight of either kind
/// are kept while nobody needs them.
public final class GzipPool: Sendable {
    /// The pool of this process.
    public static let shared = GzipPool()

    private static let idleLimit = 8
    private let deflaters = Mutex<[Deflater]>([])
    private let inflaters = Mutex<[Inflater]>([])

    public init() {}

    /// The bytes as one gzip member.
    public func deflate(_ bytes: [UInt8]) throws(GzipError) -> [UInt8] {
        let idle = deflaters.withLock { $0.popLast() }
        let deflater = if let idle { idle } else { try Deflater() }
        defer {
            deflaters.withLock { idle in
                if idle.count < Self.idleLimit { idle.append(deflater) }
            }
        }
        return try deflater.deflate(bytes)
    }

    /// What one gzip member holds: `bytes` from `start` to the end.
    ///
    /// - Parameter limit: the most bytes that may come out; memory is taken as they come.
    public func inflate(
        _ bytes: [UInt8], from start: Int = 0, limit: Int
    ) throws(GzipError) -> [UInt8] {
        let idle = inflaters.withLock { $0.popLast() }
        let inflater = if let idle { idle } else { try Inflater() }
        defer {
            inflaters.withLock { idle in
                if idle.count < Self.idleLimit { idle.append(inflater) }
            }
        }
        return try inflater.inflate(bytes, from: start, limit: limit)
    }

    /// How many states wait for use.
    package var idleCount: Int {
        deflaters.withLock { $0.count } + inflaters.withLock { $0.count }
    }
}

/// Why bytes could not be expanded, or compressed.
public enum GzipError: Error, Equatable, Sendable, CustomStringConvertible {
    /// More bytes would come out than allowed.
    case tooLarge(limit: Int)
    /// The bytes end before the member does.
    case truncated
    /// The bytes are no gzip, or their check sum is wrong.
    case corrupt
    /// Bytes follow the member.
    case trailing(count: Int)
    /// zlib could not have the memory it needs.
    case noMemory

    public var description: String {
        switch self {
        case .tooLarge(let limit): "it expands to more than \(limit) bytes"
        case .truncated: "it ends before gzip's check sum"
        case .corrupt: "it is not valid gzip"
        case .trailing(let count): "\(count) bytes follow the end of gzip"
        case .noMemory: "there is no memory for it"
        }
    }
}
