public import RPC
public import Schema
import Wire

/// How long, and how often, to ask a service again that cannot be reached.
public struct Patience: Sendable {
    /// How long a service may be away before the caller gives up.
    public var limit: Duration
    public var first = Duration.milliseconds(200)
    public var longest = Duration.seconds(5)

    /// Enough for a service to be restarted by hand.
    public static let generous = Patience(limit: .seconds(900))

    public init(limit: Duration) {
        self.limit = limit
    }

    /// Whether the status says that the service went away, and may come back.
    public static func isAway(_ status: Status) -> Bool {
        status.code == .unavailable || status.code == .cancelled || status.code == .aborted
    }

    /// Calls until the service can be reached, or it has been away for too long.
    ///
    /// - Parameter onWait: told of each failure before the pause.
    public func calling<Value>(
        onWait: (Status) -> Void = { _ in }, _ body: () async throws -> Value
    ) async throws -> Value {
        var waiting = Waiting(self)
        while true {
            do {
                return try await body()
            } catch let status as Status where Self.isAway(status) {
                onWait(status)
                try await waiting.pause(after: status)
            }
        }
    }

    /// The pauses since a service was last reached.
    public struct Waiting: Sendable {
        private let patience: Patience
        private var since: ContinuousClock.Instant?
        private var next: Duration

        public init(_ patience: Patience) {
            self.patience = patience
            next = patience.first
        }

        /// The service answered.
        public mutating func reset() {
            since = nil
            next = patience.first
        }

        /// Pauses, longer each time; throws once the service has been away for too long.
        public mutating func pause(after status: Status) async throws {
            try Task.checkCancellation()
            let now = ContinuousClock.now
            let began = since ?? now
            since = began
            if now - began > patience.limit { throw status }
            try await Task.sleep(for: next * Double.random(in: 0.8...1.2))
            next = min(next * 2, patience.longest)
        }
    }
}

/// The jobs of another service, followed across its restarts.
public struct RemoteJobs: Sendable {
    private let client: Client
    private let watchMethod: Method<WatchRequest, JobEvent>
    private let getMethod: Method<JobReference, JobState>
    private let cancelMethod: Method<JobReference, JobState>

    public init(
        _ client: Client, watch: Method<WatchRequest, JobEvent>,
        get: Method<JobReference, JobState>, cancel: Method<JobReference, JobState>
    ) {
        self.client = client
        watchMethod = watch
        getMethod = get
        cancelMethod = cancel
    }

    public static func augmentation(_ client: Client) -> RemoteJobs {
        RemoteJobs(
            client, watch: AugmentationAPI.watch, get: AugmentationAPI.get,
            cancel: AugmentationAPI.cancel)
    }

    public static func trainer(_ client: Client) -> RemoteJobs {
        RemoteJobs(
            client, watch: TrainerAPI.watch, get: TrainerAPI.get, cancel: TrainerAPI.cancel)
    }

    public static func evaluator(_ client: Client) -> RemoteJobs {
        RemoteJobs(
            client, watch: EvaluatorAPI.watch, get: EvaluatorAPI.get, cancel: EvaluatorAPI.cancel)
    }

    public static func gateway(_ client: Client) -> RemoteJobs {
        RemoteJobs(
            client, watch: GatewayAPI.watchWorkflow, get: GatewayAPI.get,
            cancel: GatewayAPI.cancel)
    }

    public func get(_ id: String) async throws -> JobState {
        try await client.unary(getMethod, JobReference.with { $0.id = id })
    }

    @discardableResult
    public func cancel(_ id: String) async throws -> JobState {
        try await client.unary(cancelMethod, JobReference.with { $0.id = id })
    }

    /// Follows a job to its end, attaching again wherever the stream breaks.
    ///
    /// - Parameters:
    ///   - sequence: events up to this one are known already.
    ///   - onEvent: told of every later event, each once.
    /// - Returns: the job's last state: succeeded, failed or cancelled.
    public func follow(
        _ id: String, after sequence: Int = 0, patience: Patience = .generous,
        onEvent: (JobEvent) async throws -> Void = { _ in }
    ) async throws -> JobState {
        var sequence = sequence
        var waiting = Patience.Waiting(patience)
        while true {
            do {
                let request = WatchRequest.with {
                    $0.id = id
                    $0.afterSequence = sequence
                }
                try await client.serverStreaming(watchMethod, request) { events in
                    for try await event in events {
                        sequence = event.sequence
                        waiting.reset()
                        try await onEvent(event)
                    }
                }
                waiting.reset()
                let state = try await get(id)
                if state.status.isFinal { return state }
                try await waiting.pause(
                    after: Status(.unavailable, "the stream of job \(id) ended before the job"))
            } catch let status as Status where Patience.isAway(status) {
                try await waiting.pause(after: status)
            }
        }
    }
}
