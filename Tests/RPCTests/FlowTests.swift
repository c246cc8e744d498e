import RPC
import Testing
import Wire

/// Who does not read is not sent to.
@Suite(.timeLimit(.minutes(5)))
struct FlowTests {
    /// Waits until a count that must reach `minimum` has not moved for a while.
    private static func rest(_ count: Counter, atLeast minimum: Int) async throws {
        var (last, still) = (-1, 0)
        while still < 20 || last < minimum {
            try await Task.sleep(for: .milliseconds(5))
            let now = count.value
            still = now == last ? still + 1 : 0
            last = now
        }
    }

    @Test func `a handler waits while its caller does not read`() async throws {
        let written = Counter()
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            for _ in 0..<1000 {
                try await responses.write(Bytes(count: 64 << 10))
                written.add()
            }
        }
        var server = ServerConfiguration()
        server.writeBufferBytes = 128 << 10
        var client = ClientConfiguration()
        client.streamWindowBytes = 256 << 10
        try await withServer(router, server, client: client) { client, _, _ in
            try await client.serverStreaming(Echo.expand, Bytes([])) { answers in
                var iterator = answers.makeAsyncIterator()
                _ = try await iterator.next()
                // So many fit into window and buffer, so that it gets there however slow it is.
                try await Self.rest(written, atLeast: 4)
                // The window, the write buffer and what the socket was given.
                #expect(written.value < 100)
                var count = 1
                while try await iterator.next() != nil {
                    count += 1
                    #expect(written.value - count < 100)
                }
                #expect(count == 1000)
            }
        }
    }

    @Test func `a caller waits while the handler does not read`() async throws {
        let release = Gate()
        let written = Counter()
        var router = Router()
        router.clientStreaming(Echo.collect) { requests, _ in
            await release.wait()
            let count = try await requests.reduce(into: 0) { count, _ in
                count += 1
                #expect(written.value - count < 100)
            }
            return Bytes([UInt8(count / 4)])
        }
        var server = ServerConfiguration()
        server.streamWindowBytes = 256 << 10
        var client = ClientConfiguration()
        client.writeBufferBytes = 128 << 10
        try await withServer(router, server, client: client) { client, _, _ in
            async let answer = client.clientStreaming(Echo.collect) { writer in
                for _ in 0..<1000 {
                    try await writer.write(Bytes(count: 64 << 10))
                    written.add()
                }
            }
            try await Self.rest(written, atLeast: 4)
            #expect(written.value < 100)
            release.open()
            let sum = try await answer
            #expect(sum == Bytes([250]))
        }
    }

    @Test func `a slow reader does not hold up other calls of its connection`() async throws {
        var router = Echo.router
        router.serverStreaming(
            Method<Bytes, Bytes>(service: "test.Echo", name: "Flood", kind: .serverStreaming)
        ) { _, responses, _ in
            while true { try await responses.write(Bytes(count: 32 << 10)) }
        }
        let flood = Method<Bytes, Bytes>(
            service: "test.Echo", name: "Flood", kind: .serverStreaming)
        try await withServer(router) { client, _, _ in
            try await client.serverStreaming(flood, Bytes([])) { answers in
                var iterator = answers.makeAsyncIterator()
                _ = try await iterator.next()
                for number in 0..<200 {
                    let message = Bytes([UInt8(number)])
                    try await expectEqual(client.unary(Echo.unary, message), message)
                }
                for _ in 0..<100 { _ = try #require(try await iterator.next()) }
            }
        }
    }

    @Test func `a message larger than every window arrives`() async throws {
        var server = ServerConfiguration()
        server.streamWindowBytes = 64 << 10
        server.connectionWindowBytes = 64 << 10
        var client = ClientConfiguration()
        client.streamWindowBytes = 64 << 10
        client.connectionWindowBytes = 64 << 10
        try await withServer(Echo.router, server, client: client) { client, _, _ in
            let message = Bytes(count: 3 << 20)
            let answer = try await client.unary(Echo.unary, message)
            #expect(answer == message)
        }
    }

    @Test func `streams that nobody reads do not hold up other calls of their connection`()
        async throws
    {
        let written = Counter()
        var router = Echo.router
        let flood = Method<Bytes, Bytes>(
            service: "test.Echo", name: "Flood", kind: .serverStreaming)
        router.serverStreaming(flood) { _, responses, _ in
            for _ in 0..<64 {
                try await responses.write(Bytes(count: 64 << 10))
                written.add()
            }
        }
        var configuration = ClientConfiguration()
        configuration.streamWindowBytes = 256 << 10
        configuration.connectionWindowBytes = 1 << 20
        try await withServer(router, client: configuration) { client, _, _ in
            try await withThrowingTaskGroup(of: Int.self) { group in
                let release = Gate()
                for _ in 0..<9 {
                    group.addTask {
                        try await client.serverStreaming(flood, Bytes([])) { answers in
                            _ = try await answers.headers()
                            await release.wait()
                            return try await answers.reduce(into: 0) { count, _ in count += 1 }
                        }
                    }
                }
                // Nine streams hold more than the connection's window when they rest.
                try await Self.rest(written, atLeast: 9 * 4)
                let message = Bytes(count: 100_000)
                try await expectEqual(client.unary(Echo.unary, message), message)
                release.open()
                for try await count in group { #expect(count == 64) }
            }
        }
    }
}
