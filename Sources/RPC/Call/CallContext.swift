/// What a handler knows of a call beside its messages.
public struct CallContext: Sendable {
    /// What there is to know where there is no call.
    private final class Description: Sendable {
        let metadata: Metadata
        let deadline: ContinuousClock.Instant?
        let peer: Peer
        let method: String

        init(
            _ metadata: Metadata, _ deadline: ContinuousClock.Instant?, _ peer: Peer,
            _ method: String
        ) {
            self.metadata = metadata
            self.deadline = deadline
            self.peer = peer
            self.method = method
        }
    }

    /// References, so that a context is handed on for next to nothing.
    private enum Subject {
        case call(ServerCall)
        case description(Description)
    }

    private final class Trace: Sendable {
        let context: TraceContext

        init(_ context: TraceContext) {
            self.context = context
        }
    }

    private let subject: Subject
    private var tracing: Trace?

    /// What the caller sent along.
    public var metadata: Metadata {
        switch subject {
        case .call(let call): call.metadata
        case .description(let description): description.metadata
        }
    }

    /// When the caller stops waiting; the handler's task is cancelled then.
    public var deadline: ContinuousClock.Instant? {
        switch subject {
        case .call(let call): call.deadline
        case .description(let description): description.deadline
        }
    }

    /// Who calls.
    public var peer: Peer {
        switch subject {
        case .call(let call): call.peer
        case .description(let description): description.peer
        }
    }

    /// The path of the method, as in "/hone.Data/Import".
    public var method: String {
        switch subject {
        case .call(let call): call.route.path
        case .description(let description): description.method
        }
    }

    /// The trace the call belongs to; nil where nothing traces, see ``Tracing``.
    public internal(set) var trace: TraceContext? {
        get { tracing?.context }
        set { tracing = newValue.map(Trace.init) }
    }

    private var call: ServerCall? {
        if case .call(let call) = subject { call } else { nil }
    }

    /// A context of no real call, for tests of handlers.
    public init(
        method: String, metadata: Metadata = Metadata(), deadline: ContinuousClock.Instant? = nil,
        peer: Peer = Peer(address: "in process")
    ) {
        subject = .description(Description(metadata, deadline, peer, method))
    }

    init(of call: ServerCall) {
        subject = .call(call)
    }

    /// Sends metadata ahead of the first message; without effect once a message was written.
    public func sendHeaders(_ metadata: Metadata) {
        call?.sendHeaders(metadata)
    }

    /// Sets the metadata that follows the last message.
    public func setTrailers(_ metadata: Metadata) {
        call?.setTrailers(metadata)
    }

    /// How the call has ended for its caller; nil while it goes on. A deadline that has passed or a
    /// caller who has gone away ends a call while its handler still runs.
    public var ending: Status? { call?.ending }

    /// The deadline of the call this task answers: calls it makes in turn end no later.
    @TaskLocal package static var inheritedDeadline: ContinuousClock.Instant?

    /// Whether the call this task answers was made before, by someone who tries it again: calls
    /// made in turn are not repeated then, since repetitions on every level would multiply.
    @TaskLocal package static var answersRetry = false

    /// Runs `body` without the deadline of the call that started it.
    public static func detachedFromDeadline<Result>(
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await $inheritedDeadline.withValue(nil, operation: body)
    }
}

/// The other end of a connection.
public struct Peer: Sendable, Equatable, CustomStringConvertible {
    /// Its address, as in "127.0.0.1:51234".
    public let address: String
    /// The subject of its verified certificate; nil without mutual TLS.
    public let identity: String?

    public init(address: String, identity: String? = nil) {
        self.address = address
        self.identity = identity
    }

    public var description: String { identity.map { "\(address) (\($0))" } ?? address }
}
