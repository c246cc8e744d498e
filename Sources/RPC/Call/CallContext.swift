/// What a handler knows of a call beside its messages.
public struct CallContext: Sendable {
    /// What the caller sent along.
    public let metadata: Metadata
    /// When the caller stops waiting; the handler's task is cancelled then.
    public let deadline: ContinuousClock.Instant?
    /// Who calls.
    public let peer: Peer
    /// The path of the method, as in "/hone.Data/Import".
    public let method: String
    /// The trace the call belongs to; nil where nothing traces, see ``Tracing``.
    public internal(set) var trace: TraceContext?

    let call: ServerCall?

    /// A context of no real call, for tests of handlers.
    public init(
        method: String, metadata: Metadata = Metadata(), deadline: ContinuousClock.Instant? = nil,
        peer: Peer = Peer(address: "in process")
    ) {
        self.init(method: method, metadata: metadata, deadline: deadline, peer: peer, call: nil)
    }

    init(
        method: String, metadata: Metadata, deadline: ContinuousClock.Instant?, peer: Peer,
        call: ServerCall?
    ) {
        self.method = method
        self.metadata = metadata
        self.deadline = deadline
        self.peer = peer
        self.call = call
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
