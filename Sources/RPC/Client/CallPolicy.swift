/// What holds for the calls of a method where the caller says nothing else.
public struct CallPolicy: Sendable {
    /// How long a call may take where its ``CallOptions/deadline`` is nil; nil sets no limit.
    public var timeout: Duration?
    /// Whether calls wait for a server where their ``CallOptions/waitForReady`` is nil.
    public var waitForReady: Bool
    /// Whether and how failed calls are repeated.
    public var repetition: Repetition

    public enum Repetition: Sendable {
        /// What no server has seen is still sent again: it did nothing.
        case none
        case retry(RetryPolicy)
        /// Of idempotent methods that send one request; calls of others are made once.
        case hedge(HedgingPolicy)
    }

    public init(
        timeout: Duration? = nil, waitForReady: Bool = false,
        repetition: Repetition = .retry(RetryPolicy())
    ) {
        self.timeout = timeout
        self.waitForReady = waitForReady
        self.repetition = repetition
    }
}

/// How calls that failed are made again, one attempt after another.
///
/// A call is repeated as long as its service has not begun to answer, its requests are still kept
/// (``ClientConfiguration/keptRequestBytesPerCall``), its deadline is not near, and neither the
/// throttle nor the budget of the client forbids it.
///
/// - Source: gRPC, proposal A6.
public struct RetryPolicy: Sendable {
    /// The first attempt included; 1 to 5, what is outside is moved to the nearer end.
    public var attempts: Int
    /// The pause before each further attempt, unless the service asked for another.
    public var backoff: Backoff
    /// What may be tried again; `resourceExhausted` may where the service says when.
    public var codes: Set<Status.Code>
    /// Whether methods that are not idempotent are repeated, too; set it only for codes by which
    /// the service says that it did nothing.
    public var includesOthers: Bool

    public static let mostAttempts: Int = 5

    public init(
        attempts: Int = 3, backoff: Backoff = Backoff(), codes: Set<Status.Code> = [.unavailable],
        includesOthers: Bool = false
    ) {
        self.attempts = attempts
        self.backoff = backoff
        self.codes = codes
        self.includesOthers = includesOthers
    }

    /// Whether a failed attempt may be followed by another.
    ///
    /// A service that is full and knows when it will not be has done nothing for the call.
    func allows(_ code: Status.Code, _ pushback: RetryPushback?) -> Bool {
        if code == .resourceExhausted, case .after = pushback { return true }
        return codes.contains(code)
    }
}

/// How calls are made several times at once, of which the first answer counts.
///
/// The next attempt starts, at a server that has none yet if there is one, when the delay has
/// passed or an attempt failed with a code that is not fatal. The first answer ends the others,
/// which their servers learn by RST_STREAM with CANCEL.
///
/// - Source: gRPC, proposal A6; Dean and Barroso 2013, "The Tail at Scale", for the percentile.
public struct HedgingPolicy: Sendable {
    public enum Delay: Sendable {
        case fixed(Duration)
        /// What 95 of 100 recent answers of the method took less than, at least `least`; `first`
        /// until 20 answers are known.
        case percentile95(first: Duration, least: Duration = .milliseconds(1))
    }

    /// The first attempt included; 1 to 5, what is outside is moved to the nearer end.
    public var attempts: Int
    public var delay: Delay
    /// What does not end the call as long as another attempt may succeed.
    public var nonFatalCodes: Set<Status.Code>

    public init(
        attempts: Int = 2, delay: Delay,
        nonFatalCodes: Set<Status.Code> = [.unavailable, .resourceExhausted]
    ) {
        self.attempts = attempts
        self.delay = delay
        self.nonFatalCodes = nonFatalCodes
    }
}

/// Policies by method, by service, and for all the rest; the first that fits holds as a whole.
public struct CallPolicies: Sendable {
    /// By path, as in "/hone.Data/Import".
    public var methods: [String: CallPolicy] = [:]
    /// By full name, as in "hone.Data".
    public var services: [String: CallPolicy] = [:]
    /// For all other calls; nil retries what is unavailable, idempotent methods alone, as
    /// ``ClientConfiguration/maximumAttempts`` and ``ClientConfiguration/backoff`` say.
    public var others: CallPolicy?

    public init() {}
}

/// When a client stops repeating calls because too many fail.
///
/// A bucket starts full. A failure that would be tried again takes a token, as does a lost
/// connection, however many calls were on it; a success puts a part of one back. At half or less,
/// nothing is repeated.
///
/// - Source: gRPC, proposal A6, "Throttling Retry Attempts and Hedged RPCs".
public struct RetryThrottle: Sendable {
    /// The size of the bucket; 1 to 1000.
    public var tokens: Int
    /// What a success puts back, in tokens.
    public var tokensPerSuccess: Double

    public init(tokens: Int = 10, tokensPerSuccess: Double = 0.1) {
        self.tokens = tokens
        self.tokensPerSuccess = tokensPerSuccess
    }
}

/// How large a part of a client's traffic repetitions may be, over the last ten seconds.
public struct RetryBudget: Sendable {
    /// Repetitions for each call.
    public var share: Double
    /// How many a second are granted to clients with hardly any traffic.
    public var leastPerSecond: Int

    public init(share: Double = 0.2, leastPerSecond: Int = 10) {
        self.share = share
        self.leastPerSecond = leastPerSecond
    }
}
