import Corpus
import Drills
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceKit
import ServiceLifecycle
import TLS
import WebServing

/// What every request meets: the tutor, and what it is to fail at.
struct TutorDesk: Sendable {
    let tutor: Tutor
    let failures: FailurePlan

    init(tutor: Tutor, failures: FailurePlan = FailurePlan()) {
        self.tutor = tutor
        self.failures = failures
    }
}

/// The tutor's HTTP server.
struct TutorServer: Service {
    private static let maximumBodyBytes = 8 << 20

    private let desk: TutorDesk
    private let listen: ListenAddress
    private let logger: Logger
    private let tls: TLSSettings?
    private let ports: AsyncStream<Int>
    private let tellPort: AsyncStream<Int>.Continuation

    init(desk: TutorDesk, listen: ListenAddress, logger: Logger, tls: TLSSettings?) {
        self.desk = desk
        self.listen = listen
        self.logger = logger
        self.tls = tls
        (ports, tellPort) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func run() async throws {
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .warning }
        try await TLSFiles.http1(over: tls, logger) { server in
            let application = Application(
                router: routes(), server: server,
                configuration: ApplicationConfiguration(
                    address: .hostname(listen.host, port: listen.port), serverName: "hone-tutor"),
                onServerRunning: {
                    tellPort.yield($0.localAddress?.port ?? listen.port)
                    tellPort.finish()
                },
                logger: quiet)
            try await application.run()
        }
    }

    /// The address it serves at; waits until it does. Ask once.
    func address() async -> ListenAddress {
        var address = listen
        for await port in ports { address.port = port }
        return address
    }

    private func routes() -> Router<BasicRequestContext> {
        let routes = Router(context: BasicRequestContext.self)
        routes.add(middleware: ErrorBodies())
        routes.get("/healthz") { _, _ in "ok\n" }
        routes.get("/v1/models") { _, _ in
            Response.json([
                "object": "list", "data": .array(CompletionRequest.models.map(Self.model)),
            ])
        }
        routes.get("/v1/models/{model}") { _, context in
            let name = context.parameters.get("model") ?? ""
            guard CompletionRequest.models.contains(name) else {
                throw OpenAIError.unknownModel(name)
            }
            return Response.json(Self.model(name))
        }
        routes.get("/tutor/statistics") { [failures = desk.failures] _, _ in
            Response.json(Self.statistics(failures.statistics))
        }
        routes.post("/v1/chat/completions") { request, _ in try await complete(request) }
        return routes
    }

    private static func model(_ name: String) -> JSON {
        // The day the protocol's chat completions came, for want of a birthday.
        [
            "id": .string(name), "object": "model", "created": 1_677_610_602,
            "owned_by": "hone",
        ]
    }

    private static func statistics(_ statistics: FailurePlan.Statistics) -> JSON {
        func object(_ counts: [String: Int]) -> JSON {
            .object(JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) }))
        }
        return [
            "requests": .int(statistics.requests), "replies": .int(statistics.replies),
            "repeats": .int(statistics.repeats), "failures": object(statistics.failures),
            "parts": object(statistics.parts),
        ]
    }

    // MARK: completions

    private func complete(_ request: Request) async throws -> Response {
        let buffer = try await request.body.collect(upTo: Self.maximumBodyBytes)
        let bytes = Array(buffer.readableBytesView)
        let asked = try CompletionRequest(bytes)
        let failure = desk.failures.failure(asked: try Self.failure(request) ?? asked.failure)
        try await meet(failure)
        let reply = desk.tutor.reply(to: asked.messages)
        let completion = Completion(reply.text, to: asked)
        let isCut = failure?.kind == .cut
        if !isCut { desk.failures.count(reply.part.rawValue, request: bytes) }
        if asked.isStream {
            let events = completion.events(includingUsage: asked.includesUsage)
            return Self.stream(
                isCut ? Array(events.prefix(events.count / 2)) : events, isCut: isCut)
        }
        return isCut ? Self.cut(completion.json.bytes()) : Response.json(completion.json)
    }

    /// What the header `x-tutor-fail` asks for.
    private static func failure(_ request: Request) throws(OpenAIError) -> Failure? {
        guard let text = HTTPField.Name("x-tutor-fail").flatMap({ request.headers[$0] }) else {
            return nil
        }
        guard let failure = Failure(header: text) else {
            throw .invalid(
                "x-tutor-fail",
                "x-tutor-fail is \"\(text)\"; write 429, 500, slow or cut, and an amount: slow 300")
        }
        return failure
    }

    /// Waits or throws, as the failure says.
    private func meet(_ failure: Failure?) async throws {
        let settings = desk.failures.settings
        switch failure?.kind {
        case .tooMany:
            throw OpenAIError.tooMany(
                retryAfterSeconds: failure?.amount ?? settings.retryAfterSeconds)
        case .serverError: throw OpenAIError.server
        case .slow:
            try await Task.sleep(
                for: .milliseconds(failure?.amount ?? Double(settings.slowMilliseconds)))
        case .cut, nil: break
        }
    }

    /// The end of a connection in the middle of a reply.
    private struct Cut: Error {}

    private static func stream(_ events: [[UInt8]], isCut: Bool) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
            body: ResponseBody { writer in
                for event in events { try await writer.write(ByteBuffer(bytes: event)) }
                if isCut { throw Cut() }
                try await writer.finish(nil)
            })
    }

    private static func cut(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(contentLength: bytes.count) { writer in
                try await writer.write(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
                throw Cut()
            })
    }
}

/// Gives every failure the body OpenAI's clients read.
private struct ErrorBodies: RouterMiddleware {
    typealias Context = BasicRequestContext

    @concurrent
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as OpenAIError {
            return error.response
        } catch let error as HTTPError {
            let message =
                switch error.status.code {
                case 404: "Invalid URL (\(request.method.rawValue) \(request.uri.path))"
                case 413: "The body of your request is larger than the tutor takes."
                default: error.body ?? error.status.reasonPhrase
                }
            return OpenAIError(status: error.status.code, message: message).response
        }
    }
}
