import RPC
import Testing
import Wire

/// Who does not read is not sent to.
@Suite(.timeLimit(.minutes(5)))
struct FlowTests {
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
                try await written.rest(atLeast: 9 * 4)
                let message = Bytes(count: 100_000)
                try await expectEqual(client.unary(Echo.unary, message), message)
                release.open()
                for try await count in group { #expect(count == 64) }
            }
        }
    }
}
