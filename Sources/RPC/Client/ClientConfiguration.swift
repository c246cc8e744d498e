public import TLS

/// How a client chooses among its servers.
public enum Balancing: Sendable {
    /// The one of two random servers that has fewer open calls.
    case leastLoaded
    /// Each in turn.
    case roundRobin
    /// The server that ``CallOptions/affinity`` belongs to, as long as it is ready and not much
    /// busier than the others; calls without an affinity go to the less loaded of two.
    case consistent
}

/// How keys belong to servers under ``Balancing/consistent``.
public struct ConsistentHashing: Sendable {
    /// How many times its even share of all open calls a server may have before its keys' calls
    /// go on to the next on the ring.
    public var loadFactor: Double = 1.25
    /// How many open calls a server may have in any case.
    public var leastCalls: Int = 4
    /// How many places each server has on the ring; more make shares more even.
    public var placesPerServer: Int = 100

    public init() {}
}

/// What a client is told once, before it runs.
public struct ClientConfiguration: Sendable {
    /// Nil speaks plain HTTP/2.
    public var tls: TLSSettings?
    /// The name the server's certificate must bear; nil expects the target's host, "localhost" for
    /// a socket of this machine.
    public var serverName: String?
    /// How often the files of `tls` are looked at: new connections use what is in them then.
    public var certificatePollInterval: Duration = .seconds(5)
    /// Told of each change of the files: nil where they are in use now, else why they cannot be.
    public var certificatesReloaded: (@Sendable (TLSError?) -> Void)?
    public var balancing: Balancing = .leastLoaded
    public var consistentHashing: ConsistentHashing = ConsistentHashing()
    public var keepalive: Keepalive = Keepalive(
        interval: .seconds(30), idleInterval: .seconds(300), timeout: .seconds(20))
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
    /// How many calls may wait for a connection, or for room on one; a further one fails with
    /// `resourceExhausted`.
    public var maximumWaitingCalls: Int = 10_000
    /// How many connections a server may get. Another is opened when its limit of concurrent
    /// calls is reached on those that are there, and closed when it has been idle for a minute.
    public var maximumConnectionsPerServer: Int = 4
    public var connectTimeout: Duration = .seconds(5)
    /// How often the names are resolved anew: a server that is added gets calls after this at
    /// the latest, and the time to connect.
    public var resolveInterval: Duration = .seconds(2)
    public var backoff: Backoff = Backoff()
    /// How often a call of an idempotent method is tried where servers are unavailable, unless
    /// ``policies`` say otherwise.
    public var maximumAttempts: Int = 3
    public var policies: CallPolicies = CallPolicies()
    /// Nil lets repetitions happen however many calls fail.
    public var retryThrottle: RetryThrottle? = RetryThrottle()
    /// Nil lets repetitions be any part of the traffic.
    public var retryBudget: RetryBudget? = RetryBudget()
    /// How many request bytes a call keeps to be sent again; a call that wrote more is made once.
    public var keptRequestBytesPerCall: Int = 4 << 20
    /// How many request bytes all calls keep, those that keep less than 16 KiB not counted.
    public var keptRequestBytes: Int = 64 << 20
    /// Nil never compares servers.
    public var outlierDetection: OutlierDetection? = OutlierDetection()
    public var circuitBreaker: CircuitBreaker = CircuitBreaker()
    /// The service whose health, by `grpc.health.v1.Health/Watch`, decides whether a server gets
    /// calls; empty for the server as a whole. Nil does not ask.
    ///
    /// A server that does not know the call counts as healthy.
    public var healthService: String?
    /// Whether every call tells the server that its answers may be compressed; else only those
    /// whose requests are.
    public var acceptsCompression: Bool = false
    /// Messages below this size stay as they are.
    public var minimumCompressedBytes: Int = 1024
    /// What stands between callers and the transport, the first outermost.
    public var interceptors: [any ClientInterceptor] = []
    /// Told of the end of each call.
    public var observer: (any CallObserver)?
    package var names: NameResolver = .system

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

    public init(first: Duration, multiplier: Double = 1.6, maximum: Duration = .seconds(10)) {
        self.first = first
        self.multiplier = multiplier
        self.maximum = maximum
    }

    /// The wait after `failures` failures in a row, at least 1.
    package func delay(
        afterFailures failures: Int, using random: inout some RandomNumberGenerator
    ) -> Duration {
        var delay = first
        for _ in 1..<max(failures, 1) where delay < maximum { delay = delay * multiplier }
        return min(delay, maximum) * Double.random(in: (1 - jitter)...(1 + jitter), using: &random)
    }
}

/// What a caller asks of one call.
public struct CallOptions: Sendable {
    /// How long the whole call may take, retries and waiting included; nil takes the policy's.
    public var deadline: Duration?
    public var metadata: Metadata
    /// Whether to wait for a server rather than fail while none can be reached; nil does as the
    /// method's policy says, and else fails.
    public var waitForReady: Bool?
    /// What the call belongs to, a conversation for instance: under ``Balancing/consistent``,
    /// calls of the same affinity go to the same server.
    public var affinity: String?
    /// How requests are compressed; nil compresses none. A server that cannot read it answers with
    /// `unimplemented`.
    public var compression: Compression?
    /// Whether the call ends no later than the call that the caller's task answers, if it does.
    public var inheritsDeadline: Bool = true

    public static let none: CallOptions = CallOptions()

    public init(
        deadline: Duration? = nil, metadata: Metadata = Metadata(), waitForReady: Bool? = nil,
        affinity: String? = nil,
        compression: Compression? = nil
    ) {
        self.compression = compression
        self.deadline = deadline
        self.metadata = metadata
        self.waitForReady = waitForReady
        self.affinity = affinity
    }
}
