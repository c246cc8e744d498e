import Wire

/// Which handler answers which path.
public struct Router: Sendable {
    var routes: [String: Route] = [:]

    public init() {}

    /// The paths this router answers, sorted.
    public var paths: [String] { routes.keys.sorted() }

    /// The full names of the services whose methods this router answers, sorted.
    public var services: [String] {
        Set(routes.values.map(\.service)).sorted()
    }

    public mutating func unary<Request, Response>(
        _ method: Method<Request, Response>,
        _ handler: @escaping @Sendable (Request, CallContext) async throws -> Response
    ) {
        add(method) { call, context in
            // A unary call begins once its message is here, and most answers find room: then nothing
            // but the handler waits.
            let ready = try call.readyMessage()
            let request: Request =
                if let ready {
                    try Request(decoding: ready)
                } else {
                    try await call.onlyMessage(method.path)
                }
            let answer = try await handler(request, context).encoded()
            if try !call.answerAtOnce(answer) { try await call.write(answer) }
        } intercepted: { exchange in
            let request: Request = try await exchange.requests.onlyMessage(exchange.context.method)
            try await exchange.responses.write(handler(request, exchange.context).encoded())
        }
    }

    public mutating func serverStreaming<Request, Response>(
        _ method: Method<Request, Response>,
        _ handler:
            @escaping @Sendable (
                Request, ResponseWriter<Response>, CallContext
            ) async throws -> Void
    ) {
        add(method) { call, context in
            let request: Request = try await call.onlyMessage(method.path)
            try await handler(request, ResponseWriter(sink: call), context)
        } intercepted: { exchange in
            let request: Request = try await exchange.requests.onlyMessage(exchange.context.method)
            try await handler(
                request, ResponseWriter(sink: exchange.responses), exchange.context)
        }
    }

    public mutating func clientStreaming<Request, Response>(
        _ method: Method<Request, Response>,
        _ handler:
            @escaping @Sendable (
                RequestStream<Request>, CallContext
            ) async throws -> Response
    ) {
        add(method) { call, context in
            let response = try await handler(RequestStream(source: call), context)
            try await call.write(response.encoded())
        } intercepted: { exchange in
            let response = try await handler(
                RequestStream(source: exchange.requests), exchange.context)
            try await exchange.responses.write(response.encoded())
        }
    }

    public mutating func bidirectional<Request, Response>(
        _ method: Method<Request, Response>,
        _ handler:
            @escaping @Sendable (
                RequestStream<Request>, ResponseWriter<Response>, CallContext
            ) async throws -> Void
    ) {
        add(method) { call, context in
            try await handler(RequestStream(source: call), ResponseWriter(sink: call), context)
        } intercepted: { exchange in
            try await handler(
                RequestStream(source: exchange.requests),
                ResponseWriter(sink: exchange.responses), exchange.context)
        }
    }

    /// Lets no request message be larger than that, whatever its type allows.
    mutating func limit(requestBytes: Int?) {
        for (path, route) in routes {
            var limit = route.limit
            limit.lower(to: requestBytes)
            routes[path] = Route(route, limit: limit)
        }
    }

    private mutating func add<Request, Response>(
        _ method: Method<Request, Response>,
        _ body: @escaping @Sendable (ServerCall, CallContext) async throws -> Void,
        intercepted: @escaping @Sendable (ServerExchange) async throws -> Void
    ) {
        precondition(routes[method.path] == nil, "\(method.path) has two handlers")
        routes[method.path] = Route(
            path: method.path, service: method.service, kind: method.kind,
            limit: MessageLimit(
                type: Request.wireName, bytes: Request.maximumBytes,
                option: "ServerConfiguration.maximumRequestBytes", optionBytes: nil),
            counters: MethodCounters(
                .server, service: method.service, name: method.name, kind: method.kind),
            body: body, intercepted: intercepted)
    }
}

/// One method with its types taken off: bytes in, bytes out.
final class Route: Sendable {
    typealias Body = @Sendable (ServerCall, CallContext) async throws -> Void

    let path: String
    let service: String
    let kind: CallKind
    /// How large a request message may be.
    let limit: MessageLimit
    let priority: CallPriority
    let counters: MethodCounters
    let body: Body
    /// The same for a call whose messages interceptors may have changed.
    let intercepted: @Sendable (ServerExchange) async throws -> Void

    init(
        path: String, service: String, kind: CallKind, limit: MessageLimit,
        counters: MethodCounters, body: @escaping Body,
        intercepted: @escaping @Sendable (ServerExchange) async throws -> Void
    ) {
        self.path = path
        self.service = service
        self.kind = kind
        self.limit = limit
        priority = .normal
        self.counters = counters
        self.body = body
        self.intercepted = intercepted
    }

    /// Another route but for what is given.
    init(
        _ route: Route, limit: MessageLimit? = nil, priority: CallPriority? = nil,
        body: Body? = nil
    ) {
        path = route.path
        service = route.service
        kind = route.kind
        self.limit = limit ?? route.limit
        self.priority = priority ?? route.priority
        counters = route.counters
        self.body = body ?? route.body
        intercepted = route.intercepted
    }
}

extension MessageSource {
    /// The one message of a call whose caller sends exactly one.
    fileprivate func onlyMessage<Message: WireMessage>(_ path: String) async throws -> Message {
        guard let bytes = try await nextMessage() else {
            throw Status(.invalidArgument, "\(path) takes one message, and none was sent")
        }
        return try Message(decoding: bytes)
    }
}
