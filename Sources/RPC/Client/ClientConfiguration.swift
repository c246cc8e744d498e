public import TLS

/// How a client chooses among its servers.
public enum Balancing: Sendable {
    /// The server with the fewest open calls, ties at random.
    case leastLoaded
    /// Each in turn.
    case roundRobin
}

/// What a client is told once, before it runs.
public struct ClientConfiguration: Sendable {
    /// Nil speaks plain HTTP/2.
    public var tls: TLSSettings?
    /// The name the server's certificate must bear; nil expects the target's host.
    public var serverName: String?
    public var balancing: Balancing = .leastLoaded
    public var keepalive: Keepalive = Keepalive(interval: .seconds(30), timeout: .seconds(20))
    /// The largest response message; nil leaves it to each message's type.
    public var maximumResponseBytes: Int?
    /// The largest sum of a response's headers, each counted with 32 bytes on top.
    public var maximumHeaderBytes: Int = 16 << 10
    /// How many unread response bytes a call may hold.
    public var streamWindowBytes: Int = 1 << 20
    /// How many response bytes of all calls may be on their way to a connection.
    public var connectionWindowBytes: Int = 8 << 20
    /// How many request bytes a call may queue before its writer is suspended.
    public var writeBufferBytes: Int = 256 << 10
    /// How many calls may wait for a connection.
    public var maximumWaitingCalls: Int = 10_000
    public var connectTimeout: Duration = .seconds(5)
    /// How often the names are resolved anew.
    public var resolveInterval: Duration = .seconds(5)
    public var backoff: Backoff = Backoff()
    /// How often a call of an idempotent method is tried where servers are unavailable.
    public var maximumAttempts: Int = 3
    /// Whether every call tells the server that its answers may be compressed; else only those
    /// whose requests are.
    public var acceptsCompression: Bool = false
    /// Messages below this size stay as they are.
    public var minimumCompressedBytes: Int = 1024
    /// What stands between callers and the transport, the first outermost.
    public var interceptors: [any ClientInterceptor] = []
    /// Told of the end of each call.
    public var observer: (any CallObserver)?

    public init(tls: TLSSettings? = nil) {
        self.tls = tls
    }
}

/// How long to wait before the next attempt: first, then `multiplier` times as long, up to
/// maximum, each time off by up to `jitter` of itself so that clients do not come in step.
public struct Backoff: Sendable {
    public var first: Duration = .milliseconds(100)
    public var multiplier: Double = 1.6
    public var maximum: Duration = .seconds(10)
    public var jitter: Double = 0.2

    public init() {}

    /// The wait after `failures` failures in a row, at least 1.
    func delay(
        afterFailures failures: Int, using random: inout some RandomNumberGenerator
    ) -> Duration {
        var delay = first
        for _ in 1..<max(failures, 1) where delay < maximum { delay = delay * multiplier }
        return min(delay, maximum) * Double.random(in: (1 - jitter)...(1 + jitter), using: &random)
    }
}

/// What a caller asks of one call.
public struct CallOptions: Sendable {
    /// How long the whole call may take, retries and waiting included.
    public var deadline: Duration?
    public var metadata: Metadata
    /// Whether to wait for a server rather than fail while none can be reached.
    public var waitForReady: Bool
    /// How requests are compressed; nil compresses none. A server that cannot read it answers with
    /// `unimplemented`.
    public var compression: Compression?
    /// Whether the call ends no later than the call that the caller's task answers, if it does.
    public var inheritsDeadline: Bool = true

    public static let none: CallOptions = CallOptions()

    public init(
        deadline: Duration? = nil, metadata: Metadata = Metadata(), waitForReady: Bool = false,
        compression: Compression? = nil
    ) {
        self.compression = compression
        self.deadline = deadline
        self.metadata = metadata
        self.waitForReady = waitForReady
    }
}
