public import TLS

/// Where handlers run.
public enum HandlerPlacement: Sendable {
    /// On the concurrent pool: a handler may read files and ask databases.
    case pool
    /// On the event loop of the caller's connection: fastest, for handlers that never block.
    case eventLoop
}

/// What a server is told once, before it runs.
public struct ServerConfiguration: Sendable {
    public var host: String
    /// 0 lets the system choose; ``Server/listeningPort()`` tells.
    public var port: Int
    /// Nil serves plain HTTP/2.
    public var tls: TLSSettings?
    public var handlers: HandlerPlacement = .pool
    /// How many calls one connection may have open.
    public var maximumConcurrentStreams: Int = 512
    /// The largest request message; nil leaves it to each message's type.
    public var maximumRequestBytes: Int?
    /// The largest sum of a request's headers, each counted with 32 bytes on top.
    public var maximumHeaderBytes: Int = 16 << 10
    /// How many unread request bytes a call may hold.
    public var streamWindowBytes: Int = 1 << 20
    /// How many request bytes of all calls may be on their way. What a connection holds unread is
    /// bounded by its calls: `maximumConcurrentStreams` times `streamWindowBytes`.
    public var connectionWindowBytes: Int = 8 << 20
    /// How many response bytes a call may queue before its handler is suspended.
    public var writeBufferBytes: Int = 256 << 10
    /// How many connections may be open; further ones are closed at once.
    public var maximumConnections: Int = 4096
    /// How long a connection may take to finish TLS and to send its first frames.
    public var handshakeTimeout: Duration = .seconds(10)
    public var keepalive: Keepalive = Keepalive(interval: .seconds(120), timeout: .seconds(20))
    /// How answers are compressed, for callers that can read it; nil compresses none. Requests may
    /// always be compressed.
    public var compression: Compression?
    /// Messages below this size stay as they are.
    public var minimumCompressedBytes: Int = 1024
    /// What stands between the transport and the handlers, the first outermost.
    public var interceptors: [any ServerInterceptor] = []
    /// Told of the end of each call.
    public var observer: (any CallObserver)?

    public init(host: String = "127.0.0.1", port: Int = 0, tls: TLSSettings? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
    }
}

/// When a silent connection is asked whether it lives, and how long it may take to answer.
public struct Keepalive: Sendable, Equatable {
    public var interval: Duration
    public var timeout: Duration

    public init(interval: Duration, timeout: Duration) {
        self.interval = interval
        self.timeout = timeout
    }
}

/// Is told of the end of each call, for logs and metrics.
public protocol CallObserver: Sendable {
    func callEnded(_ summary: CallSummary)
}

/// One finished call.
public struct CallSummary: Sendable {
    public let method: String
    public let peer: Peer
    public let status: Status
    public let duration: Duration
}
