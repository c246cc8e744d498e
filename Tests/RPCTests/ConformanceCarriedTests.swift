import RPC
import Synchronization
import Testing
import Wire

/// What every transport carries beside messages, and what it makes of failures.
@Suite(.timeLimit(.minutes(5)))
struct ConformanceCarriedTests {
    @Test(arguments: Transport.allCases)
    func `details of a status arrive, and lose what is too much`(over transport: Transport)
        async throws
    {
        var details = StatusDetails(
            reason: "QUOTA_EXCEEDED", domain: "test.Echo", metadata: ["limit": "5"])
        details.retryAfterMilliseconds = 1500
        details.violations = [FieldViolation("inputs[2].name", "is not empty")]
        let small = Status(.failedPrecondition, "too much, déjà vu", details: details)
        details.violations = (0..<1000).map { FieldViolation("field\($0)", "is otherwise") }
        let large = Status(.invalidArgument, "many", details: details)
        var router = Router()
        router.unary(Echo.unary) { _, _ in throw small }
        router.unary(Echo.repeatable) { _, _ in throw large }
        try await transport.serving(router) { client in
            let whole = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(whole == small)
            #expect(whole.details == small.details)
            let cut = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(cut.code == .invalidArgument && cut.message == "many")
            #expect((1..<1000).contains(cut.details?.violations.count ?? 0))
        }
    }

    @Test(arguments: Transport.allCases)
    func `a long message is cut alike`(over transport: Transport) async throws {
        var router = Router()
        router.unary(Echo.unary) { _, _ in
            throw Status(.aborted, String(repeating: "日本語 ", count: 1000))
        }
        try await transport.serving(router) { client in
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status.code == .aborted)
            #expect(status.message.utf8.count == 680)
        }
    }

    @Test(arguments: Transport.allCases)
    func `messages may be compressed or not, and answers are the same`(over transport: Transport)
        async throws
    {
        var configuration = ServerConfiguration()
        configuration.compression = .gzip
        try await transport.serving(Echo.router, configuration) { client in
            let text = Bytes([UInt8](repeating: 0x61, count: 100_000))
            for options in [CallOptions(), CallOptions(compression: .gzip)] {
                try await expectEqual(client.unary(Echo.unary, text, options: options), text)
                let count = try await client.bidirectional(Echo.chat, options: options) { writer in
                    for _ in 0..<10 { try await writer.write(text) }
                } _: { answers in
                    try await answers.reduce(into: 0) { $0 += $1.bytes.count }
                }
                #expect(count == 1_000_000)
            }
        }
    }

    /// Notes what passes by.
    private final class Watcher: ServerInterceptor, ClientInterceptor {
        let seen = Mutex<[String]>([])

        func intercept(
            _ exchange: ServerExchange, next: (ServerExchange) async throws -> Void
        ) async throws {
            seen.withLock { $0.append("server \(exchange.context.method)") }
            try await next(exchange)
        }

        func intercept<Result>(
            _ exchange: ClientExchange, next: (ClientExchange) async throws -> Result
        ) async throws -> Result {
            seen.withLock { $0.append("client \(exchange.method)") }
            return try await next(exchange)
        }
    }

    @Test(arguments: Transport.allCases)
    func `interceptors stand on both sides, and a trace goes on`(over transport: Transport)
        async throws
    {
        let watcher = Watcher()
        let traces = Mutex<[TraceContext?]>([])
        var router = Router()
        router.unary(Echo.unary) { request, context in
            traces.withLock { $0.append(context.trace) }
            return request
        }
        var configuration = ServerConfiguration()
        configuration.interceptors = [watcher, Tracing()]
        var client = ClientConfiguration()
        client.interceptors = [watcher, Tracing()]
        let trace = TraceContext()
        try await transport.serving(router, configuration, client: client) { client in
            try await TraceContext.$current.withValue(trace) {
                _ = try await client.unary(Echo.unary, Bytes([1]))
            }
        }
        #expect(
            watcher.seen.withLock { $0 } == ["client /test.Echo/Unary", "server /test.Echo/Unary"])
        let seen = try #require(traces.withLock { $0.first ?? nil })
        #expect(seen.traceID == trace.traceID)
        #expect(seen.spanID != trace.spanID)
    }

    @Test(arguments: Transport.allCases)
    func `an inherited deadline travels on`(over transport: Transport) async throws {
        let deadlines = Mutex<[ContinuousClock.Instant]>([])
        var inner = Router()
        inner.unary(Echo.unary) { request, context in
            deadlines.withLock { $0.append(context.deadline ?? .now) }
            return request
        }
        try await transport.serving(inner) { next in
            var outer = Router()
            outer.unary(Echo.repeatable) { request, context in
                deadlines.withLock { $0.append(context.deadline ?? .now) }
                return try await next.unary(
                    Echo.unary, request, options: CallOptions(deadline: .seconds(86_400)))
            }
            try await transport.serving(outer) { client in
                _ = try await client.unary(
                    Echo.repeatable, Bytes([]), options: CallOptions(deadline: .seconds(3600)))
            }
        }
        let seen = deadlines.withLock { $0 }
        #expect(seen.count == 2)
        // On its way it is told as what is left, in milliseconds.
        #expect(seen[1] - seen[0] < .milliseconds(500))
        #expect(seen[1] > .now + .seconds(3000))
    }

    @Test(arguments: Transport.allCases)
    func `a call is tried again when its service says so`(over transport: Transport) async throws {
        let count = Counter()
        var router = Router()
        router.unary(Echo.repeatable) { _, context in
            count.add()
            guard count.value == 3 else {
                var trailers = Metadata()
                trailers.setRetryPushback(.after(.milliseconds(1)))
                context.setTrailers(trailers)
                throw Status(count.value == 1 ? .unavailable : .resourceExhausted, "later")
            }
            return Bytes([UInt8(context.metadata.previousAttempts)])
        }
        router.unary(Echo.unary) { _, _ in
            count.add(100)
            throw Status(.resourceExhausted, "never")
        }
        try await transport.serving(router) { client in
            try await expectEqual(client.unary(Echo.repeatable, Bytes([])), Bytes([2]))
            #expect(count.value == 3)
            let refused = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(refused == Status(.resourceExhausted, "never"))
            #expect(count.value == 103)
        }
    }

    @Test(arguments: Transport.allCases)
    func `calls are counted by how they ended`(over transport: Transport) async throws {
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            guard request.bytes.isEmpty else { throw Status(.notFound, "") }
            return Bytes(count: 1000)
        }
        try await transport.servingLife(router) { client, life in
            for number in 0..<5 {
                _ = await status {
                    _ = try await client.unary(
                        Echo.unary, number == 0 ? Bytes([1]) : Bytes([]))
                }
            }
            let counters = try #require(life.server.counters.first { $0.name == "Unary" })
            #expect(counters.started == 5)
            #expect(counters.ended(with: .ok) == 4)
            #expect(counters.ended(with: .notFound) == 1)
            #expect(counters.sent.messages == 4)
            #expect(counters.sent.bytes == 4 * 1005)
            #expect(counters.received.messages == 5)
        }
    }
}
