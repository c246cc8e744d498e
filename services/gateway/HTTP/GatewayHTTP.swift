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

    private let replicas: ReplicaSet
    private let catalogue: ModelCatalogue
    private let keys: APIKeys
    private let usual: RevisionPolicy
    private let limits: Limits
    private let registry: MetricsRegistry
    private let others: [(name: ServiceName, client: Client)]
    private let logger: Logger

    /// - Parameters:
    ///   - usual: the revision policy of requests that give none.
    ///   - others: services whose numbers `/metrics` tells besides the gateway's and the replicas'.
    package init(
        replicas: ReplicaSet, keys: APIKeys = .none, usual: RevisionPolicy,
        limits: Limits = Limits(), registry: MetricsRegistry = .shared,
        others: [(name: ServiceName, client: Client)] = [], logger: Logger
    ) {
        self.replicas = replicas
        catalogue = ModelCatalogue(replicas)
        self.keys = keys
        self.usual = usual
        self.limits = limits
        self.registry = registry
        self.others = others
        self.logger = logger
    }

    package func routes() -> Hummingbird.Router<GatewayContext> {
        let router = Hummingbird.Router(
            context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
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
        router.post("/v1/chat/completions") { request, context in
            try keys.check(request.headers[.authorization])
            return try await chat(request, context)
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
            let models = try await catalogue.models()
            (isReady, detail) = (!models.isEmpty, models.first ?? "no model is loaded")
        } catch {
            (isReady, detail) = (false, "inference cannot be reached")
        }
        return Self.json(
            ["ready": .bool(isReady), "detail": .string(detail)], status: isReady ? 200 : 503)
    }

    /// Each replica's numbers bear its address; one that has left counts as not ready.
    private func metrics() async -> Response {
        for replica in await replicas.known() {
            let status = replica.status ?? InferenceStatus()
            let gauges: [(String, String, Double)] = [
                ("hone_inference_ready", "Whether a model is loaded.", status.ready ? 1 : 0),
                ("hone_inference_slots", "Answers worked on at once.", Double(status.slots)),
                ("hone_inference_active", "Answers being worked on.", Double(status.active)),
                ("hone_inference_queued", "Answers waiting.", Double(status.queued)),
                ("hone_inference_tokens_per_second", "Lately.", status.tokensPerSecond),
            ]
            let labels = [("replica", "\(replica.endpoint)")]
            for (name, help, value) in gauges {
                registry.gauge(name, help, labels: labels).set(value)
            }
        }
        var merged = MetricsText()
        merged.add(registry.exposition(), labels: [("service", ServiceName.gateway.rawValue)])
        let replicas = replicas.clients().map { (ServiceName.inference, "\($0)", $1) }
        let services = others.map { ($0.name, "", $0.client) }
        await ServiceMetrics.collect(services + replicas, into: &merged)
        var response = Self.plain(merged.text)
        response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
        return response
    }
}

// MARK: - OpenAI

extension GatewayHTTP {
    private func models() async throws -> Response {
        let data = try await catalogue.models().map(Self.model)
        return Self.json(["object": "list", "data": .array(data)])
    }

    private func model(_ name: String) async throws -> Response {
        Self.json(Self.model(try await catalogue.model(for: name)))
    }

    private static func model(_ name: String) -> JSON {
        ["id": .string(name), "object": "model", "created": 0, "owned_by": "hone"]
    }

    private func chat(_ request: Request, _ context: GatewayContext) async throws -> Response {
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
        if chat.isStreaming {
            let events = replicas.answer(chat.generate, within: limits.answerTime)
            return try await stream(chat, response, events, context)
        }
        var restarts = Self.restarts
        while true {
            do {
                let events = replicas.answer(chat.generate, within: limits.answerTime)
                return try await answer(response, events, context)
            } catch let status as Status where status.code == .unavailable && restarts > 0 {
                // The caller has seen nothing yet, so another replica may begin anew.
                restarts -= 1
                logger.info("answer begins anew", metadata: ["error": "\(status)"])
            }
        }
    }

    /// How often an answer in one piece is begun anew after its replica was lost.
    private static let restarts = 2

    /// Answers in one piece; a caller who goes away ends the work.
    private func answer(
        _ response: ChatResponse, _ events: AnswerStream, _ context: GatewayContext
    ) async throws -> Response {
        let watch = try await context.watch(events.stop)
        defer { context.end(watch) }
        var response = response
        while let event = try await events.next() {
            count(event)
            response.take(event)
        }
        try response.checkFinished()
        return Self.json(response.completion())
    }

    /// Answers in chunks, as server-sent events; a caller who goes away ends the work.
    ///
    /// The first event is waited for: what goes wrong before it is told by the HTTP status.
    private func stream(
        _ chat: ChatRequest, _ response: ChatResponse, _ events: AnswerStream,
        _ context: GatewayContext
    ) async throws -> Response {
        let first: GenerateEvent
        do {
            let watch = try await context.watch(events.stop)
            defer { context.end(watch) }
            guard let event = try await events.next() else { throw ChatResponse.unfinished }
            first = event
        }
        let body = ResponseBody { @concurrent writer in
            let watch = try await context.watch(events.stop)
            defer { context.end(watch) }
            do {
                try await writer.write(Self.event(response.opening()))
                try await send(chat, response, first, events, to: &writer)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.info("stream failed", metadata: ["error": "\(error)"])
                try await writer.write(Self.event(OpenAIError(describing: error).body))
            }
            try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            try await writer.finish(nil)
        }
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
        ]
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent
    private func send(
        _ chat: ChatRequest, _ response: ChatResponse, _ first: GenerateEvent,
        _ events: AnswerStream, to writer: inout any ResponseBodyWriter
    ) async throws {
        var response = response
        var next: GenerateEvent? = first
        while let event = next {
            count(event)
            for chunk in response.chunks(for: event) { try await writer.write(Self.event(chunk)) }
            next = try await events.next()
        }
        try response.checkFinished()
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
