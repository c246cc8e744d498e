public import Wire

/// Which side of a call is a stream.
public enum CallKind: Sendable {
    case unary, clientStreaming, serverStreaming, bidirectional

    /// Whether the caller may send any number of messages.
    public var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }

    /// Whether the service may send any number of messages.
    public var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
}

/// One call a service offers, with the types that travel.
public struct Method<Request: WireMessage, Response: WireMessage>: Sendable {
    /// The full name of the service, as in "hone.Data".
    public let service: String
    /// The name within the service, as in "Import".
    public let name: String
    public let kind: CallKind
    /// Whether a repeat does no harm, so that a caller may retry it when a server is unavailable.
    public let idempotent: Bool
    /// The `:path` of the HTTP/2 request, as in "/hone.Data/Import".
    public let path: String
    /// What all clients of this process count of it.
    let counters: MethodCounters

    public init(service: String, name: String, kind: CallKind, idempotent: Bool = false) {
        self.service = service
        self.name = name
        self.kind = kind
        self.idempotent = idempotent
        path = "/\(service)/\(name)"
        counters = .ofClients(service: service, name: name, kind: kind)
    }
}
