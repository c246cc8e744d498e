import Corpus
import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
package import RPC
package import Schema
package import ServiceKit

/// The HTTP side of the gateway: OpenAI's calls, the page, health and metrics.
package struct GatewayHTTP: Sendable {
    package struct Limits: Sendable {
        package var bodyBytes = 8 << 20
        /// How long an answer may take.
        package var answerTime = Duration.seconds(3600)

        package init() {}
    }

    private let inference: Client
    private let catalogue: ModelCatalogue
    private let keys: APIKeys
    private let usual: RevisionPolicy
    private let limits: Limits
    private let registry: MetricsRegistry
    private let logger: Logger

    /// - Parameter usual: the revision policy of requests that give none.
    package init(
        inference: Client, keys: APIKeys = .none, usual: RevisionPolicy,
        limits: Limits = Limits(), registry: MetricsRegistry = .shared, logger: Logger
    ) {
        self.inference = inference
        catalogue = ModelCatalogue(inference)
        self.keys = keys
        self.usual = usual
        self.limits = limits
        self.registry = registry
        self.logger = logger
    }

    package func routes() -> Hummingbird.Router<BasicRequestContext> {
        let router = Hummingbird.Router(context: BasicRequestContext.self)
        router.add(middleware: ErrorMiddleware(registry: registry, logger: logger))
        for file in PageFile.all {
            router.get(RouterPath(file.path)) { _, _ in file.response() }
        }
        router.get("/healthz") { _, _ in Self.plain("ok\n") }
        router.get("/readyz") { _, _ in await ready() }
        router.get("/metrics") { _, _ in await metrics() }
        router.get("/v1/models") { request, _ in
            try keys.check(request.headers[.authorization])
            return try await models()
        }
        router.get("/v1/models/:model") { request, context in
            try keys.check(request.headers[.authorization])
            return try await model(context.parameters.get("model") ?? "")
        }
        router.post("/v1/chat/completions") { request, _ in
            try keys.check(request.headers[.authorization])
            return try await chat(request)
        }
        return router
    }
}

// MARK: - Health and metrics

extension GatewayHTTP {
    /// Ready once a replica answers that its model is.
    private func ready() async -> Response {
        let (isReady, detail): (Bool, String)
        do {
            let status = try await catalogue.status()
            (isReady, detail) = (status.ready, status.ready ? status.model : "no model is loaded")
        } catch {
            (isReady, detail) = (false, "inference cannot be reached")
        }
        return Self.json(
            ["ready": .bool(isReady), "detail": .string(detail)], status: isReady ? 200 : 503)
    }

    private func metrics() async -> Response {
        do {
            let status = try await catalogue.status()
            let gauges: [(String, String, Double)] = [
                ("hone_inference_ready", "Whether a model is loaded.", status.ready ? 1 : 0),
                ("hone_inference_slots", "Answers worked on at once.", Double(status.slots)),
                ("hone_inference_active", "Answers being worked on.", Double(status.active)),
                ("hone_inference_queued", "Answers waiting.", Double(status.queued)),
                ("hone_inference_tokens_per_second", "Lately.", status.tokensPerSecond),
            ]
            for (name, help, value) in gauges { registry.gauge(name, help).set(value) }
        } catch {
            registry.gauge("hone_inference_ready", "Whether a model is loaded.").set(0)
        }
        var response = Self.plain(registry.exposition())
        response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
        return response
    }
}

// MARK: - OpenAI

extension GatewayHTTP {
    private func models() async throws -> Response {
        let status = try await catalogue.status()
        let data = status.ready ? [Self.model(status.model)] : []
        return Self.json(["object": "list", "data": .array(data)])
    }

    private func model(_ name: String) async throws -> Response {
        Self.json(Self.model(try await catalogue.model(for: name)))
    }

    private static func model(_ name: String) -> JSON {
        ["id": .string(name), "object": "model", "created": 0, "owned_by": "hone"]
    }

    private func chat(_ request: Request) async throws -> Response {
        var request = request
        let buffer = try await request.collectBody(upTo: limits.bodyBytes)
        let body: JSON
        do {
            body = try JSON(parsing: [UInt8](buffer.readableBytesView))
        } catch {
            throw OpenAIError.invalid(
                "We could not parse the JSON body of your request: \(error)", parameter: nil)
        }
        var chat = try ChatRequest(body, usual: usual)
        let model = try await catalogue.model(for: chat.model)
        chat.generate.model = model
        let response = ChatResponse(
            identifier: "chatcmpl-" + Self.randomName(), created: Int(Date().timeIntervalSince1970),
            model: model, policy: chat.generate.policy)
        return chat.isStreaming
            ? stream(chat, response, request) : try await answer(chat, response, request)
    }

    private var callOptions: CallOptions { CallOptions(deadline: limits.answerTime) }

    /// Answers in one piece; a caller who goes away ends the work.
    private func answer(
        _ chat: ChatRequest, _ response: ChatResponse, _ request: Request
    ) async throws -> Response {
        let completion = try await request.body.consumeWithCancellationOnInboundClose { _ in
            var response = response
            try await inference.serverStreaming(
                InferenceAPI.generate, chat.generate, options: callOptions
            ) { events in
                for try await event in events {
                    count(event)
                    response.take(event)
                }
            }
            return response.completion()
        }
        var reply = Self.json(completion)
        // Watching for the caller's end has used the connection up.
        reply.headers[.connection] = "close"
        return reply
    }

    /// Answers in chunks, as server-sent events; a caller who goes away ends the work.
    private func stream(
        _ chat: ChatRequest, _ response: ChatResponse, _ request: Request
    ) -> Response {
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
            .connection: "close",
        ]
        let body = ResponseBody { writer in
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                do {
                    try await writer.write(Self.event(response.opening()))
                    try await send(chat, response, to: &writer)
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    logger.info("stream failed", metadata: ["error": "\(error)"])
                    let error = OpenAIError(Status(describing: error))
                    try await writer.write(Self.event(error.body))
                }
                try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent
    private func send(
        _ chat: ChatRequest, _ response: ChatResponse, to writer: inout any ResponseBodyWriter
    ) async throws {
        var response = response
        try await inference.serverStreaming(
            InferenceAPI.generate, chat.generate, options: callOptions
        ) { @concurrent events in
            for try await event in events {
                count(event)
                for chunk in response.chunks(for: event) {
                    try await writer.write(Self.event(chunk))
                }
            }
        }
        if chat.includesUsage { try await writer.write(Self.event(response.usageChunk())) }
    }

    private func count(_ event: GenerateEvent) {
        guard event.kind == .finished else { return }
        let usage = event.usage ?? Usage()
        let tokens: [(String, Int)] = [
            ("prompt", usage.promptTokens), ("answer", usage.answerTokens),
            ("feedback", usage.feedbackTokens), ("revision", usage.revisionTokens),
            ("verdict", usage.verdictTokens),
        ]
        for (segment, number) in tokens {
            registry.counter(
                "hone_tokens_total", "Tokens by segment.", labels: [("segment", segment)]
            ).add(Double(number))
        }
        registry.counter(
            "hone_answers_total", "Answers by the reason they ended.",
            labels: [("reason", event.reason)]
        ).add()
    }
}

// MARK: - Bytes

extension GatewayHTTP {
    static func event(_ value: JSON) -> ByteBuffer {
        ByteBuffer(string: "data: \(value.text())\n\n")
    }

    static func json(_ value: JSON, status: Int = 200) -> Response {
        Response(
            status: .init(code: status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.bytes() + [0x0A])))
    }

    static func plain(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func randomName() -> String {
        String(UInt64.random(in: 0 ... .max), radix: 36)
            + String(UInt64.random(in: 0 ... .max), radix: 36)
    }
}

/// Turns what is thrown into OpenAI's error object, and counts requests.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = BasicRequestContext

    let registry: MetricsRegistry
    let logger: Logger

    @concurrent
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        let began = ContinuousClock.now
        let response: Response
        do {
            response = try await next(request, context)
        } catch {
            let path = "\(request.uri.path)"
            let error = Self.told(error, path: path, method: request.method.rawValue)
            if error.status >= 500 {
                logger.warning(
                    "request failed", metadata: ["path": "\(path)", "error": "\(error)"])
            }
            response = GatewayHTTP.json(error.body, status: error.status)
        }
        let route = context.endpointPath ?? "other"
        let labels = [("route", route), ("status", "\(response.status.code)")]
        registry.counter("hone_http_requests_total", "Requests answered.", labels: labels).add()
        registry.histogram(
            "hone_http_request_seconds", "Until the answer began.", labels: [("route", route)]
        ).record(ContinuousClock.now - began)
        return response
    }

    private static func told(_ error: any Error, path: String, method: String) -> OpenAIError {
        switch error {
        case let error as OpenAIError: error
        case let error as HTTPError where error.status == .notFound: .notFound(path, method)
        case let error as HTTPError:
            OpenAIError(
                status: error.status.code,
                message: error.body ?? "The request was refused: \(error.status).",
                type: "invalid_request_error", parameter: nil, code: nil)
        default: OpenAIError(Status(describing: error))
        }
    }
}
