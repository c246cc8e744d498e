import HTTP2
import RPC
import Testing
import Wire

/// What buffers may hold, however slow those are who should empty them.
@Suite(.timeLimit(.minutes(5)))
struct MemoryTests {
    @Test func `400 slow readers stay under the ceiling, and others are served`() async throws {
        let ended = Counter()
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            do {
                for _ in 0..<4 { try await responses.write(Bytes(count: 64 << 10)) }
            } catch {
                ended.add()
                throw error
            }
        }
        router.unary(Echo.unary) { request, _ in request }
        let budget = MemoryBudget(limitBytes: 24 << 20)
        var configuration = ServerConfiguration()
        configuration.memory = budget
        configuration.connectionMemoryBytes = 16 << 20
        configuration.slowReaderLimit = .milliseconds(100)
        try await withServer(router, configuration) { other, _, port in
            try await RawClient.connected(to: port) { slow in
                _ = try await slow.read()
                var streams: [Int32] = []
                for _ in 0..<400 { streams.append(try await slow.call("/test.Echo/Expand", [])) }
                // 100 MiB are on their way; this much is held at most.
                while budget.peakBytes < 15 << 20 { try await Task.sleep(for: .milliseconds(1)) }
                for number in 0..<200 {
                    let message = Bytes([UInt8(number)])
                    try await expectEqual(other.unary(Echo.unary, message), message)
                }
                // A message for each thread that looked at the same moment is borne.
                #expect(budget.peakBytes < 18 << 20)
                // Those that take nothing are ended, which lets the rest go on.
                while ended.value == 0 { try await Task.sleep(for: .milliseconds(1)) }
                while slow.answers.values.allSatisfy({ $0.code != .enhanceYourCalm }) {
                    guard try await slow.read() else { break }
                }
                #expect(budget.peakBytes < 18 << 20)
            }
            while budget.usedBytes > 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func `a connection that is full takes no new call but a health check`() async throws {
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            while true { try await responses.write(Bytes(count: 64 << 10)) }
        }
        router.unary(Echo.unary) { request, _ in request }
        let budget = MemoryBudget(limitBytes: 64 << 20)
        var configuration = ServerConfiguration()
        configuration.memory = budget
        configuration.connectionMemoryBytes = 1 << 20
        // Longer than the test may take: nobody is ended.
        configuration.slowReaderLimit = .seconds(600)
        try await running(Server(configuration, router: router)) { port in
            try await RawClient.connected(to: port) { client in
                var floods: [Int32] = []
                for _ in 0..<24 { floods.append(try await client.call("/test.Echo/Expand", [])) }
                // It is full when the sockets and the windows are, too.
                var refused: String?
                while refused != "8" {
                    while budget.usedBytes < 1 << 20 { try await Task.sleep(for: .milliseconds(1)) }
                    let call = try await client.call("/test.Echo/Unary", [1])
                    refused = try await client.status(of: call)
                    guard refused == "8" else { continue }
                    let trailers = client.answers[call]?.trailers
                    #expect(trailers?["grpc-retry-pushback-ms"] != nil)
                }
                let check = try await client.call("/grpc.health.v1.Health/Check", [])
                try await expectEqual(client.status(of: check), "0")
                for flood in floods { try await client.cancel(flood) }
                // What was cancelled holds nothing any more.
                while budget.usedBytes > 0 { try await Task.sleep(for: .milliseconds(1)) }
                let call = try await client.call("/test.Echo/Unary", [1])
                try await expectEqual(client.status(of: call), "0")
            }
        }
    }

    @Test func `requests nobody reads stop at the ceiling, and all arrive later`() async throws {
        let release = Gate()
        var router = Router()
        router.clientStreaming(Echo.collect) { requests, _ in
            await release.wait()
            let count = try await requests.reduce(into: 0) { $0 += $1.bytes.count }
            return Bytes([UInt8(count >> 20)])
        }
        let budget = MemoryBudget(limitBytes: 64 << 20)
        var configuration = ServerConfiguration()
        configuration.memory = budget
        configuration.connectionMemoryBytes = 4 << 20
        configuration.connectionWindowBytes = 2 << 20
        configuration.slowReaderLimit = .seconds(600)
        try await running(Server(configuration, router: router)) { port in
            try await RawClient.connected(to: port) { client in
                _ = try await client.read()
                var streams: [Int32] = []
                let message = [UInt8](repeating: 7, count: 1 << 20)
                for _ in 0..<30 {
                    streams.append(try await client.call("/test.Echo/Collect", message))
                }
                // Thirty round trips: each could bring leave to send two MiB more.
                for number in 1...30 {
                    try await client.ping(UInt64(number))
                    while client.pongs < number { _ = try await client.read() }
                }
                #expect(budget.peakBytes >= 3 << 20)
                #expect(budget.peakBytes < 7 << 20)
                release.open()
                for stream in streams { try await expectEqual(client.status(of: stream), "0") }
                #expect(budget.peakBytes < 7 << 20)
            }
        }
    }

    @Test func `frames that the socket does not take are counted`() async throws {
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            while true { try await responses.write(Bytes(count: 8 << 10)) }
        }
        let budget = MemoryBudget(limitBytes: 64 << 20)
        var configuration = ServerConfiguration()
        configuration.memory = budget
        // All that the handler's own buffer holds; a frame's worth at most is under way beside it.
        configuration.writeBufferBytes = 16 << 10
        try await withServer(router, configuration) { _, _, port in
            try await RawSocket.connected(to: port, reads: false) { socket in
                await socket.begin([(4, (1 << 31) - 1)])
                await socket.send(Frame.windowUpdate(0, (1 << 31) - 1 - 65_535))
                await socket.send(Frame.call(1, "/test.Echo/Expand"))
                while budget.usedBytes < 256 << 10 { try await Task.sleep(for: .milliseconds(1)) }
                try await Task.sleep(for: .milliseconds(50))
                #expect(budget.peakBytes < 512 << 10)
            }
            while budget.usedBytes > 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }
}
