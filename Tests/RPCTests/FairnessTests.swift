import RPC
import Synchronization
import Testing
import Wire

/// Streams of one connection take turns.
@Suite(.timeLimit(.minutes(5)))
struct FairnessTests {
    @Test func `a small answer passes the large ones that were there before`() async throws {
        let written = Counter()
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            try await responses.write(Bytes(count: 900 << 10))
            written.add()
        }
        router.unary(Echo.unary) { request, _ in
            written.add()
            return request
        }
        var configuration = ServerConfiguration()
        configuration.writeBufferBytes = 1 << 20
        try await running(Server(configuration, router: router)) { port in
            try await RawClient.connected(to: port) { client in
                // The second time the server's streams are ones that were used before.
                for round in 1...2 {
                    // More than the sockets hold, so that most of it waits at the server.
                    var large: [Int32] = []
                    for _ in 0..<24 { large.append(try await client.call("/test.Echo/Expand", [])) }
                    while written.value < round * 24 + round - 1 {
                        try await Task.sleep(for: .milliseconds(1))
                    }
                    let small = try await client.call("/test.Echo/Unary", [1])
                    try await expectEqual(client.status(of: small), "0")
                    let ended = large.filter { client.answers[$0]?.isClosed == true }.count
                    #expect(ended < large.count / 2, "\(ended) of round \(round) came first")
                    for stream in large { try await expectEqual(client.status(of: stream), "0") }
                }
            }
        }
    }
}
