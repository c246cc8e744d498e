/// Stands between callers and a client's transport, for every call of the client.
///
/// It may change the options, refuse the call by throwing, measure it, make it again, and see or
/// change its messages. Calls of a client without interceptors pay nothing.
public protocol ClientInterceptor: Sendable {
    /// Makes a call by way of `next`, which returns what the caller's code made of the answer.
    func intercept<Result>(
        _ exchange: ClientExchange, next: (ClientExchange) async throws -> Result
    ) async throws -> Result
}

/// One call as interceptors of a client see it.
public struct ClientExchange: Sendable {
    /// The path of the method, as in "/hone.Data/Import".
    public let method: String
    public let kind: CallKind
    /// Whether the method promises that a repeat does no harm.
    public let isIdempotent: Bool
    /// Deadline, metadata and so on.
    public var options: CallOptions
    var transforms: MessageTransforms?

    init(method: String, kind: CallKind, isIdempotent: Bool, options: CallOptions) {
        self.method = method
        self.kind = kind
        self.isIdempotent = isIdempotent
        self.options = options
    }

    /// Lets each request pass through `transform` on its way to the service.
    public mutating func mapRequests(
        _ transform: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        transforms = transforms ?? MessageTransforms()
        transforms?.requests.append(transform)
    }

    /// Lets each answer pass through `transform` on its way to the caller.
    public mutating func mapResponses(
        _ transform: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        transforms = transforms ?? MessageTransforms()
        transforms?.responses.insert(transform, at: 0)
    }
}

/// What interceptors do to a call's messages.
struct MessageTransforms: Sendable {
    var requests: [@Sendable ([UInt8]) throws -> [UInt8]] = []
    var responses: [@Sendable ([UInt8]) throws -> [UInt8]] = []

    func request(_ message: [UInt8]) throws -> [UInt8] {
        try requests.reduce(message) { try $1($0) }
    }

    func response(_ message: [UInt8]) throws -> [UInt8] {
        try responses.reduce(message) { try $1($0) }
    }
}

extension [any ClientInterceptor] {
    /// Runs `last` within all interceptors from an index on, the first outermost.
    func around<Result>(
        _ exchange: ClientExchange, from index: Int = 0,
        _ last: (ClientExchange) async throws -> Result
    ) async throws -> Result {
        guard index < count else { return try await last(exchange) }
        return try await self[index].intercept(exchange) { exchange in
            try await around(exchange, from: index + 1, last)
        }
    }
}
