/// What a session grants its peer, and how much mischief it bears.
public struct SessionLimits: Sendable {
    /// How many streams the peer may have open; sent in the first SETTINGS.
    public var maximumConcurrentStreams: Int = 512
    /// The largest header list; a longer one is cut and marked so, and the stream of one that is
    /// more than five times as long is reset.
    public var headerListBytes: Int = 16 << 10
    /// How many unconsumed bytes a stream may hold.
    public var streamWindowBytes: Int = 1 << 20
    /// How many bytes of all streams may be on their way to us. The connection holds no more
    /// unconsumed bytes than its streams may, each by its own window.
    public var connectionWindowBytes: Int = 8 << 20
    /// The largest frame, either way.
    public var frameBytes: Int = 64 << 10
    /// Resets by the peer: so many at once, so many a second, then the connection ends.
    public var peerResets: Rate = Rate(burst: 2000, perSecond: 200)
    /// Faults of the peer: frames that make us reset a stream, empty DATA, PRIORITY, repeated
    /// SETTINGS, GOAWAY, answers to no PING, interim answers. Its burst is also how many WINDOW_UPDATE of a few bytes are borne beyond four for
    /// each DATA frame that was sent.
    public var glitches: Rate = Rate(burst: 500, perSecond: 50)
    /// PINGs while we send neither headers nor data; sending either forgives them all.
    public var pings: Rate = Rate(burst: 100, perSecond: 1)

    public struct Rate: Sendable {
        public var burst: Int
        public var perSecond: Double

        public init(burst: Int, perSecond: Double) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    public init() {}
}

/// Lets a burst pass, then a steady rate.
struct TokenBucket {
    let rate: SessionLimits.Rate
    private var tokens: Double
    private var filled: ContinuousClock.Instant?

    init(_ rate: SessionLimits.Rate) {
        self.rate = rate
        tokens = Double(rate.burst)
    }

    /// Takes one token; false where none is left.
    mutating func take(at now: ContinuousClock.Instant) -> Bool {
        if let filled {
            let (seconds, attoseconds) = (now - filled).components
            let elapsed = Double(seconds) + Double(attoseconds) * 1e-18
            tokens = min(Double(rate.burst), tokens + elapsed * rate.perSecond)
        }
        filled = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    mutating func refill() {
        tokens = Double(rate.burst)
    }
}
