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
    /// Where to listen, one place or several.
    public var addresses: [ServerAddress]
    /// The permissions of the files of unix sockets; whoever may write may connect.
    public var unixSocketMode: UInt16 = 0o600
    /// Nil serves plain HTTP/2.
    public var tls: TLSSettings?
    /// How often the files of `tls` are looked at; new handshakes use what they hold then. Files
    /// that do not belong together leave the certificate in use that was read before.
    public var certificatePollInterval: Duration = .seconds(5)
    /// Told when the files of `tls` were read again: nil where they are in use now, else why not.
    public var certificatesReloaded: (@Sendable (TLSError?) -> Void)?
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
    /// How many calls are answered at a time, and whom the server refuses beyond.
    public var load: LoadLimits = LoadLimits()
    /// How many bytes the buffers of all connections may hold, of this server and of those that
    /// share the budget. Beyond it new calls are refused, callers may send no more, handlers wait
    /// before they write, and calls whose callers are too slow are ended.
    public var memory: MemoryBudget = .process
    /// The same for each connection.
    public var connectionMemoryBytes: Int = 64 << 20
    /// How long the buffered bytes of a call may stay as they are while memory is short.
    public var slowReaderLimit: Duration = .seconds(10)
    /// How many connections may be open; further ones are closed at once.
    public var maximumConnections: Int = 4096
    /// How many connections one IP address may have open; nil sets no limit of its own. Unix
    /// sockets have no address and are not counted.
    public var maximumConnectionsPerAddress: Int?
    /// When a connection is drained: its peer is told to open no more calls on it, and may connect
    /// anew. Nil never. The actual age is up to a tenth more or less, so that clients do not
    /// reconnect in step.
    public var maximumConnectionAge: Duration?
    /// How long the open calls of a connection that has reached its age may go on; nil as long as
    /// they like.
    public var connectionAgeGrace: Duration?
    /// When a connection without calls is drained; nil never. It may take a quarter longer.
    public var maximumConnectionIdle: Duration?
    /// How often a peer may send PINGs while we send it neither headers nor data; one that goes on
    /// beyond `pingBurst` is sent away with "too_many_pings".
    public var minimumPingInterval: Duration = .seconds(1)
    /// How many PINGs beyond that rate are borne.
    public var pingBurst: Int = 100
    /// How long a connection may take to finish TLS and to send its first frames.
    public var handshakeTimeout: Duration = .seconds(10)
    public var keepalive: Keepalive = Keepalive(interval: .seconds(120), timeout: .seconds(20))
    /// How answers are compressed, for callers that can read it; nil leaves it to
    /// ``mirrorsCompression``. Requests may always be compressed.
    public var compression: Compression?
    /// Whether a call whose requests are compressed gets compressed answers, where its caller can
    /// read them.
    public var mirrorsCompression: Bool = true
    /// Messages below this size stay as they are.
    public var minimumCompressedBytes: Int = 1024
    /// What stands between the transport and the handlers, the first outermost.
    public var interceptors: [any ServerInterceptor] = []
    /// Told of the end of each call.
    public var observer: (any CallObserver)?

    public init(host: String = "127.0.0.1", port: Int = 0, tls: TLSSettings? = nil) {
        addresses = [.host(host, port: port)]
        self.tls = tls
    }

    /// Serves at a unix socket alone.
    public init(unixPath: String, tls: TLSSettings? = nil) {
        addresses = [.unix(path: unixPath)]
        self.tls = tls
    }

    /// The host of the first address that has one.
    public var host: String {
        get {
            for case .host(let host, _) in addresses { return host }
            return ""
        }
        set { setFirst(host: newValue, port: port) }
    }

    /// The port of the first address that has one; 0 lets the system choose, and
    /// ``Server/listeningPort()`` tells.
    public var port: Int {
        get { addresses.lazy.compactMap(\.port).first ?? 0 }
        set { setFirst(host: host, port: newValue) }
    }

    private mutating func setFirst(host: String, port: Int) {
        let index = addresses.firstIndex { $0.port != nil }
        if let index { addresses[index] = .host(host, port: port) }
    }
}

/// When a silent connection is asked whether it lives, and how long it may take to answer.
public struct Keepalive: Sendable, Equatable {
    /// For how long a connection with open calls is silent before it is asked.
    public var interval: Duration
    /// The same for one without calls.
    public var idleInterval: Duration
    public var timeout: Duration

    /// - Parameter idleInterval: nil takes `interval`.
    public init(interval: Duration, idleInterval: Duration? = nil, timeout: Duration) {
        self.interval = interval
        self.idleInterval = max(idleInterval ?? interval, interval)
        self.timeout = timeout
    }

    /// Twice as patient, up to an hour.
    mutating func double() {
        interval = min(interval * 2, .seconds(3600))
        idleInterval = min(idleInterval * 2, .seconds(3600))
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
