import RPC
import Synchronization
import Testing

/// What stands between transport and handlers, and between callers and transport.
@Suite(.timeLimit(.minutes(5)))
struct InterceptorTests {
    /// Notes who is passed, in order, and adds one to every byte that passes.
    final class Passing: ServerInterceptor, ClientInterceptor {
        let name: String
        let notes: Notes

        init(_ name: String, _ notes: Notes) {
            self.name = name
            self.notes = notes
        }

        func intercept(
            _ exchange: ServerExchange, next: (ServerExchange) async throws -> Void
        ) async throws {
            notes.add("\(name) \(exchange.context.method) \(exchange.kind)")
            var exchange = exchange
            exchange.mapRequests { $0.map { $0 &+ 1 } }
            exchange.mapResponses { $0.map { $0 &+ 1 } }
            try await next(exchange)
            notes.add("\(name) done")
        }

        func intercept<Result>(
            _ exchange: ClientExchange, next: (ClientExchange) async throws -> Result
        ) async throws -> Result {
            var exchange = exchange
            exchange.mapRequests { $0.map { $0 &+ 10 } }
            exchange.mapResponses { $0.map { $0 &+ 10 } }
            try exchange.options.metadata.add(name, for: "x-by")
            let result = try await next(exchange)
            notes.add("\(name) done")
            return result
        }
    }

    final class Notes: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test func `server interceptors see every kind of call, the first outermost`() async throws {
        let notes = Notes()
        var configuration = ServerConfiguration()
        configuration.interceptors = [Passing("one", notes), Passing("two", notes)]
        try await withServer(Echo.router, configuration) { client, _, _ in
            // Each of the two adds one on the way in and one on the way out.
            let answer = try await client.unary(Echo.unary, Bytes([1]))
            #expect(answer.bytes == [5])
            let collected = try await client.clientStreaming(Echo.collect) { writer in
                for byte in [1, 2] as [UInt8] { try await writer.write(Bytes([byte])) }
            }
            #expect(collected.bytes == [5, 6])
            let expanded = try await client.serverStreaming(Echo.expand, Bytes([1, 2])) { answers in
                try await answers.reduce(into: []) { $0 += $1.bytes }
            }
            #expect(expanded == [5, 6])
            let chatted = try await client.bidirectional(Echo.chat) { writer in
                try await writer.write(Bytes([7]))
            } _: { answers in
                try await answers.reduce(into: []) { $0 += $1.bytes }
            }
            #expect(chatted == [11])
            let health = try await client.health()
            #expect(health == .serving)
        }
        let all = notes.all
        #expect(
            Array(all.prefix(4)) == [
                "one /test.Echo/Unary unary", "two /test.Echo/Unary unary", "two done", "one done",
            ])
        #expect(all.count == 16)
    }

    @Test func `a server interceptor may refuse, and then no handler runs`() async throws {
        struct Refusal: ServerInterceptor {
            func intercept(
                _ exchange: ServerExchange, next: (ServerExchange) async throws -> Void
            ) async throws {
                guard exchange.context.metadata["x-key"] == "open" else {
                    throw Status(.permissionDenied, "no key for \(exchange.context.method)")
                }
                try await next(exchange)
            }
        }
        let calls = Counter()
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            calls.add()
            return request
        }
        var configuration = ServerConfiguration()
        configuration.interceptors = [Refusal()]
        try await withServer(router, configuration) { client, _, _ in
            let refused = await status { _ = try await client.unary(Echo.unary, Bytes([1])) }
            #expect(refused == Status(.permissionDenied, "no key for /test.Echo/Unary"))
            #expect(calls.value == 0)
            let options = CallOptions(metadata: ["x-key": "open"])
            _ = try await client.unary(Echo.unary, Bytes([1]), options: options)
            #expect(calls.value == 1)
        }
    }

    @Test func `client interceptors change messages and metadata, the first outermost`()
        async throws
    {
        let notes = Notes()
        var router = Echo.router
        let tell = Method<Bytes, Bytes>(service: "test.Echo", name: "Tell", kind: .unary)
        router.unary(tell) { request, context in
            notes.add(context.metadata.values(of: "x-by").joined(separator: " "))
            return request
        }
        var configuration = ClientConfiguration()
        configuration.interceptors = [Passing("one", notes), Passing("two", notes)]
        try await withServer(router, client: configuration) { client, _, _ in
            let answer = try await client.unary(tell, Bytes([1]))
            #expect(answer.bytes == [41])
            let chatted = try await client.bidirectional(Echo.chat) { writer in
                try await writer.write(Bytes([7]))
            } _: { answers in
                try await answers.reduce(into: []) { $0 += $1.bytes }
            }
            #expect(chatted == [47])
        }
        #expect(Array(notes.all.prefix(3)) == ["one two", "two done", "one done"])
    }

    @Test func `a client interceptor may refuse a call and make it again`() async throws {
        struct Twice: ClientInterceptor {
            func intercept<Result>(
                _ exchange: ClientExchange, next: (ClientExchange) async throws -> Result
            ) async throws -> Result {
                guard exchange.options.metadata["x-never"] == nil else {
                    throw Status(.failedPrecondition, "never")
                }
                do {
                    return try await next(exchange)
                } catch let status as Status where status.code == .aborted {
                    return try await next(exchange)
                }
            }
        }
        let calls = Counter()
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            calls.add()
            guard calls.value > 1 else { throw Status(.aborted, "once more") }
            return request
        }
        var configuration = ClientConfiguration()
        configuration.interceptors = [Twice()]
        try await withServer(router, client: configuration) { client, _, _ in
            let answer = try await client.unary(Echo.unary, Bytes([9]))
            #expect(answer.bytes == [9])
            let never = await status {
                _ = try await client.unary(
                    Echo.unary, Bytes([9]), options: CallOptions(metadata: ["x-never": "1"]))
            }
            #expect(never == Status(.failedPrecondition, "never"))
        }
        #expect(calls.value == 2)
    }
}
