/// Why a session could not go on.
public enum HTTP2Error: Error, Equatable, CustomStringConvertible {
    /// The library could not allocate.
    case outOfMemory
    /// The peer's first bytes are not HTTP/2: it speaks HTTP/1 or TLS.
    case notHTTP2
    /// The peer broke the protocol in a way that ends the connection.
    case connection(code: Int32, reason: String)
    /// A frame could not be queued.
    case refused(operation: String, code: Int32, reason: String)
    /// Every stream number of the connection has been used, or it takes no more requests.
    case noMoreStreams

    public var description: String {
        switch self {
        case .outOfMemory: "HTTP/2 session: out of memory"
        case .notHTTP2: "the peer does not speak HTTP/2 here; check its protocol and TLS settings"
        case .connection(let code, let reason): "HTTP/2 connection failed: \(reason) (\(code))"
        case .refused(let operation, let code, let reason):
            "HTTP/2 \(operation) was refused: \(reason) (\(code))"
        case .noMoreStreams: "the HTTP/2 connection takes no more requests"
        }
    }
}

/// The code of a RST_STREAM or GOAWAY frame.
///
/// - Source: RFC 9113, section 7.
public struct ErrorCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let noError: ErrorCode = ErrorCode(rawValue: 0x0)
    public static let protocolError: ErrorCode = ErrorCode(rawValue: 0x1)
    public static let internalError: ErrorCode = ErrorCode(rawValue: 0x2)
    public static let flowControlError: ErrorCode = ErrorCode(rawValue: 0x3)
    public static let refusedStream: ErrorCode = ErrorCode(rawValue: 0x7)
    public static let cancel: ErrorCode = ErrorCode(rawValue: 0x8)
    public static let enhanceYourCalm: ErrorCode = ErrorCode(rawValue: 0xB)
    public static let inadequateSecurity: ErrorCode = ErrorCode(rawValue: 0xC)

    static let names = [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
        "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]

    public var description: String {
        rawValue < UInt32(Self.names.count) ? Self.names[Int(rawValue)] : "code \(rawValue)"
    }
}
