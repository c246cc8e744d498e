import RPC
import Testing
import Wire

/// The four kinds of calls, and what travels with them.
@Suite(.timeLimit(.minutes(5)))
struct CallTests {
    @Test func `a unary call gets its answer`() async throws {
        try await withServer(Echo.router) { client, _, _ in
            let answer = try await client.unary(Echo.unary, Bytes([1, 2, 3]))
            #expect(answer == Bytes([1, 2, 3]))
            let empty = try await client.unary(Echo.unary, Bytes([]))
            #expect(empty == Bytes([]))
        }
    }

    @Test func `a handler may run on the event loop`() async throws {
        var configuration = ServerConfiguration()
        configuration.handlers = .eventLoop
        try await withServer(Echo.router, configuration) { client, _, _ in
            for number in 0..<100 {
                let answer = try await client.unary(Echo.unary, Bytes([UInt8(number)]))
                #expect(answer == Bytes([UInt8(number)]))
            }
            let answers = try await client.bidirectional(Echo.chat) { writer in
                for number in 0..<50 { try await writer.write(Bytes([UInt8(number)])) }
            } _: { answers in
                try await answers.reduce(into: []) { $0.append($1.bytes[0]) }
            }
            #expect(answers == (0..<50).map { UInt8($0) })
        }
    }

    @Test func `many calls share one connection`() async throws {
        try await withServer(Echo.router) { client, _, _ in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<2000 {
                    group.addTask {
                        let body = [UInt8(number & 255), UInt8(number >> 8)]
                        let answer = try await client.unary(Echo.unary, Bytes(body))
                        return Int(answer.bytes[0]) | Int(answer.bytes[1]) << 8
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 1999 * 1000)
        }
    }

    @Test func `a stream of requests gets one answer`() async throws {
        try await withServer(Echo.router) { client, _, _ in
            let answer = try await client.clientStreaming(Echo.collect) { writer in
                for number in 0..<100 { try await writer.write(Bytes([UInt8(number)])) }
            }
            #expect(answer.bytes == (0..<100).map { UInt8($0) })
        }
    }

    @Test func `one request gets a stream of answers`() async throws {
        try await withServer(Echo.router) { client, _, _ in
            let request = Bytes((0..<200).map { UInt8($0) })
            let answers = try await client.serverStreaming(Echo.expand, request) { answers in
                try await answers.reduce(into: []) { $0 += $1.bytes }
            }
            #expect(answers == request.bytes)
        }
    }

    @Test func `both sides may stream at once and in turn`() async throws {
        try await withServer(Echo.router) { client, _, _ in
            let turn = Turn()
            let seen = try await client.bidirectional(Echo.chat) { writer in
                for number in 0..<20 {
                    try await writer.write(Bytes([UInt8(number)]))
                    await turn.wait(for: number)
                }
            } _: { answers in
                var seen = 0
                for try await answer in answers {
                    #expect(answer.bytes == [UInt8(seen)])
                    await turn.reach(seen)
                    seen += 1
                }
                return seen
            }
            #expect(seen == 20)
        }
    }

    @Test(arguments: [0, 1, 5, 16_383, 16_384, 65_536, 1 << 20, 9 << 20])
    func `messages of any size arrive whole`(count: Int) async throws {
        var message = Bytes(count: count)
        for index in stride(from: 0, to: count, by: 1009) {
            message.bytes[index] = UInt8(truncatingIfNeeded: index)
        }
        let sent = message
        try await withServer(Echo.router) { client, _, _ in
            try await expectEqual(client.unary(Echo.unary, sent), sent)
            let answers = try await client.bidirectional(Echo.chat) { writer in
                for _ in 0..<3 { try await writer.write(sent) }
            } _: { answers in
                try await answers.reduce(into: 0) { $0 += $1 == sent ? 1 : 0 }
            }
            #expect(answers == 3)
        }
    }

    @Test func `metadata travels both ways`() async throws {
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, context in
            #expect(context.metadata["x-name"] == "hone")
            #expect(context.metadata[binary: "x-raw-bin"] == [0, 255, 7])
            #expect(context.metadata.values(of: "x-list") == ["a", "b"])
            #expect(context.method == "/test.Echo/Expand")
            #expect(context.peer.address.hasPrefix("127.0.0.1:"))
            var trailers: Metadata = ["x-last": "bye"]
            try trailers.add([1, 2], for: "x-sum-bin")
            context.sendHeaders(["x-first": "hello"])
            context.setTrailers(trailers)
            try await responses.write(Bytes([1]))
        }
        try await withServer(router) { client, _, _ in
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

    @Test func `metadata refuses what HTTP cannot carry`() {
        var metadata = Metadata()
        #expect(throws: MetadataError.reservedName("grpc-timeout")) {
            try metadata.add("1S", for: "grpc-timeout")
        }
        #expect(throws: MetadataError.invalidName("a b")) { try metadata.add("", for: "a b") }
        #expect(throws: MetadataError.nameOfBytes("a-bin")) {
            try metadata.add("x", for: "a-bin")
        }
        #expect(throws: MetadataError.nameOfText("a")) { try metadata.add([1], for: "a") }
        #expect(throws: MetadataError.unprintableValue(name: "a")) {
            try metadata.add("line\nbreak", for: "a")
        }
        #expect(metadata.isEmpty)
    }

    /// Lets two tasks take turns.
    actor Turn {
        private var reached = -1
        private var waiter: CheckedContinuation<Void, Never>?

        func reach(_ number: Int) {
            reached = number
            waiter?.resume()
            waiter = nil
        }

        func wait(for number: Int) async {
            guard reached < number else { return }
            await withCheckedContinuation { waiter = $0 }
        }
    }
}
