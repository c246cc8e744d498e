import RPC
import Testing
import Wire

/// What every transport owes to calls: kinds, sizes, metadata, endings.
@Suite(.timeLimit(.minutes(5)))
struct ConformanceCallTests {
    @Test(arguments: Transport.allCases)
    func `the four kinds of calls get their answers`(over transport: Transport) async throws {
        try await transport.serving(Echo.router) { client in
            for bytes in [[], [1, 2, 3]] as [[UInt8]] {
                try await expectEqual(client.unary(Echo.unary, Bytes(bytes)), Bytes(bytes))
            }
            let collected = try await client.clientStreaming(Echo.collect) { writer in
                for number in 0..<100 { try await writer.write(Bytes([UInt8(number)])) }
            }
            #expect(collected.bytes == (0..<100).map { UInt8($0) })
            let request = Bytes((0..<200).map { UInt8($0) })
            let expanded = try await client.serverStreaming(Echo.expand, request) { answers in
                try await answers.reduce(into: []) { $0 += $1.bytes }
            }
            #expect(expanded == request.bytes)
            let chat = try await client.bidirectional(Echo.chat) { writer in
                for number in 0..<100 { try await writer.write(Bytes([UInt8(number)])) }
            } _: { answers in
                try await answers.reduce(into: []) { $0 += $1.bytes }
            }
            #expect(chat == collected.bytes)
        }
    }

    @Test(arguments: Transport.allCases)
    func `both sides may stream in turn`(over transport: Transport) async throws {
        try await transport.serving(Echo.router) { client in
            let (turns, turn) = AsyncStream.makeStream(of: Int.self)
            turn.yield(0)
            let seen = try await client.bidirectional(Echo.chat) { writer in
                for await number in turns { try await writer.write(Bytes([UInt8(number)])) }
            } _: { answers in
                var seen = 0
                for try await answer in answers {
                    #expect(answer.bytes == [UInt8(seen)])
                    seen += 1
                    if seen < 20 { turn.yield(seen) } else { turn.finish() }
                }
                return seen
            }
            #expect(seen == 20)
        }
    }

    @Test(arguments: Transport.allCases, [5, 16_384, 65_536, 9 << 20])
    func `messages of any size arrive whole`(over transport: Transport, count: Int) async throws {
        var message = Bytes(count: count)
        for index in stride(from: 0, to: count, by: 1009) {
            message.bytes[index] = UInt8(truncatingIfNeeded: index)
        }
        let sent = message
        try await transport.serving(Echo.router) { client in
            try await expectEqual(client.unary(Echo.unary, sent), sent)
            let answers = try await client.bidirectional(Echo.chat) { writer in
                for _ in 0..<3 { try await writer.write(sent) }
            } _: { answers in
                try await answers.reduce(into: 0) { $0 += $1 == sent ? 1 : 0 }
            }
            #expect(answers == 3)
        }
    }

    @Test(arguments: Transport.allCases)
    func `many calls run at once`(over transport: Transport) async throws {
        var configuration = ServerConfiguration()
        configuration.maximumConcurrentStreams = 50
        try await transport.serving(Echo.router, configuration) { client in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        let body = [UInt8(number & 255), UInt8(number >> 8)]
                        let answer = try await client.unary(Echo.unary, Bytes(body))
                        return Int(answer.bytes[0]) | Int(answer.bytes[1]) << 8
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 999 * 500)
        }
    }

    @Test(arguments: Transport.allCases)
    func `metadata travels both ways`(over transport: Transport) async throws {
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, context in
            #expect(context.metadata["x-name"] == "hone")
            #expect(context.metadata[binary: "x-raw-bin"] == [0, 255, 7])
            #expect(context.metadata.values(of: "x-list") == ["a", "b"])
            #expect(context.method == "/test.Echo/Expand")
            #expect(!context.peer.address.isEmpty)
            var trailers: Metadata = ["x-last": "bye"]
            try trailers.add([1, 2], for: "x-sum-bin")
            context.sendHeaders(["x-first": "hello"])
            context.setTrailers(trailers)
            try await responses.write(Bytes([1]))
        }
        try await transport.serving(router) { client in
            var metadata: Metadata = ["x-name": "hone"]
            try metadata.add([0, 255, 7], for: "X-Raw-Bin")
            try metadata.add("a", for: "x-list")
            try metadata.add("b", for: "x-list")
            let options = CallOptions(metadata: metadata)
            try await client.serverStreaming(Echo.expand, Bytes([1]), options: options) {
                answers in
                try await expectEqual(answers.headers()["x-first"], "hello")
                for try await _ in answers {}
                #expect(answers.trailers["x-last"] == "bye")
                #expect(answers.trailers[binary: "x-sum-bin"] == [1, 2])
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func `a handler's errors reach the caller`(over transport: Transport) async throws {
        struct Secret: Error { let password = "hunter2" }
        let text = "why: 100 % déjà vu\n日本"
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            guard let code = request.bytes.first.flatMap({ Status.Code(rawValue: Int($0)) }) else {
                throw Secret()
            }
            throw Status(code, text)
        }
        router.serverStreaming(Echo.expand) { _, responses, _ in
            try await responses.write(Bytes([1]))
            throw Status(.dataLoss, text)
        }
        try await transport.serving(router) { client in
            for code in Status.Code.allCases where code != .ok {
                let status = await status {
                    _ = try await client.unary(Echo.unary, Bytes([UInt8(code.rawValue)]))
                }
                #expect(status == Status(code, text))
            }
            let secret = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(secret == Status(.unknown, "the service failed: Secret"))
            let seen = Counter()
            let streamed = await status {
                try await client.serverStreaming(Echo.expand, Bytes([])) { answers in
                    for try await _ in answers { seen.add() }
                }
            }
            #expect(streamed == Status(.dataLoss, text))
            #expect(seen.value == 1)
            let missing = await status {
                _ = try await client.unary(Echo.repeatable, Bytes([]))
            }
            #expect(
                missing == Status(.unimplemented, "no handler answers /test.Echo/Repeatable"))
        }
    }

    @Test(arguments: Transport.allCases)
    func `limits name what was exceeded`(over transport: Transport) async throws {
        var server = ServerConfiguration()
        server.maximumRequestBytes = 1000
        var limited = ClientConfiguration()
        limited.maximumResponseBytes = 500
        try await transport.serving(Echo.router, server, client: limited) { client in
            let long = await status { _ = try await client.unary(Echo.unary, Bytes(count: 1001)) }
            #expect(long.code == .resourceExhausted)
            #expect(long.message.contains("1001 bytes"))
            #expect(long.message.contains("ServerConfiguration.maximumRequestBytes"))
            let answer = await status { _ = try await client.unary(Echo.unary, Bytes(count: 900)) }
            #expect(answer.code == .resourceExhausted)
            #expect(answer.message.contains("900 bytes"))
            #expect(answer.message.contains("ClientConfiguration.maximumResponseBytes"))
            let value = String(repeating: "v", count: 20_000)
            let headers = await status {
                _ = try await client.unary(
                    Echo.unary, Bytes([]), options: CallOptions(metadata: ["x-long": value]))
            }
            #expect(headers.code == .resourceExhausted)
            #expect(headers.message.contains("maximumHeaderBytes"))
            try await expectEqual(client.unary(Echo.unary, Bytes(count: 500)).bytes.count, 500)
        }
    }

    @Test(arguments: Transport.allCases)
    func `a server that is full refuses, and still tells its health`(
        over transport: Transport
    ) async throws {
        let (begun, release) = (Gate(), Gate())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.open()
            await release.wait()
            return request
        }
        var configuration = ServerConfiguration()
        configuration.load.maximumConcurrentCalls = 1
        try await transport.serving(router, configuration) { client in
            async let first = client.unary(Echo.unary, Bytes([1]))
            await begun.wait()
            let refused = await status { _ = try await client.unary(Echo.unary, Bytes([2])) }
            #expect(refused.code == .resourceExhausted)
            try await expectEqual(client.health(), .serving)
            release.open()
            let answer = try await first
            #expect(answer == Bytes([1]))
        }
    }
}
