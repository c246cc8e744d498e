/// Stands between a server's transport and its handlers, for every call of its router.
///
/// ```swift
/// struct OnlyKnown: ServerInterceptor {
///     func intercept(
///         _ exchange: ServerExchange, next: (ServerExchange) async throws -> Void
///     ) async throws {
///         guard exchange.context.peer.identity != nil else {
///             throw Status(.unauthenticated, "show a certificate")
///         }
///         try await next(exchange)
///     }
/// }
/// ```
/// Composed once, when the server is made: calls of a server without interceptors pay nothing.
/// Health probes are not intercepted.
public protocol ServerInterceptor: Sendable {
    /// Answers a call, as a rule by way of `next`; a status thrown is the call's outcome.
    func intercept(
        _ exchange: ServerExchange, next: (ServerExchange) async throws -> Void
    ) async throws
}

/// One call as interceptors and handlers see it.
public struct ServerExchange: Sendable {
    /// Method, metadata, deadline, peer, trace.
    public var context: CallContext
    public let kind: CallKind
    /// The caller's messages, encoded; replaced by who wants to see or change them.
    public var requests: any MessageSource
    /// Where the answers go, encoded.
    public var responses: any MessageSink

    init(
        _ context: CallContext, _ kind: CallKind, _ requests: any MessageSource,
        _ responses: any MessageSink
    ) {
        self.context = context
        self.kind = kind
        self.requests = requests
        self.responses = responses
    }

    /// Lets each request pass through `transform` on its way to the handler.
    public mutating func mapRequests(
        _ transform: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        requests = MappedSource(requests, transform)
    }

    /// Lets each answer pass through `transform` on its way to the caller.
    public mutating func mapResponses(
        _ transform: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        responses = MappedSink(responses, transform)
    }
}

private final class MappedSource: MessageSource {
    private let source: any MessageSource
    private let transform: @Sendable ([UInt8]) async throws -> [UInt8]

    init(
        _ source: any MessageSource,
        _ transform: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        self.source = source
        self.transform = transform
    }

    func nextMessage() async throws -> [UInt8]? {
        guard let message = try await source.nextMessage() else { return nil }
        return try await transform(message)
    }
}

private final class MappedSink: MessageSink {
    private let sink: any MessageSink
    private let transform: @Sendable ([UInt8]) async throws -> [UInt8]

    init(
        _ sink: any MessageSink,
        _ transform: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        self.sink = sink
        self.transform = transform
    }

    func write(_ message: [UInt8]) async throws {
        try await sink.write(transform(message))
    }
}

extension Router {
    /// The same routes, each answered by way of the interceptors, the first outermost.
    func intercepted(by interceptors: [any ServerInterceptor]) -> Router {
        guard !interceptors.isEmpty else { return self }
        var router = self
        for (path, route) in routes {
            var next = route.intercepted
            for interceptor in interceptors.reversed() {
                let inner = next
                next = { try await interceptor.intercept($0, next: inner) }
            }
            let outermost = next
            let kind = route.kind
            router.routes[path] = Route(route) { call, context in
                try await outermost(ServerExchange(context, kind, call, call))
            }
        }
        return router
    }
}
