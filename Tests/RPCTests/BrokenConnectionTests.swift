import RPC
import Testing
import Wire

/// What is left of a connection that breaks in the middle of its work: nothing.
@Suite(.timeLimit(.minutes(5)))
struct BrokenConnectionTests {
    @Test func `answers that were complete and not sent are forgotten with their connection`()
        async throws
    {
        let answered = Counter()
        var router = Router()
        router.unary(Echo.unary) { _, _ in
            answered.add()
            return Bytes(count: 8 << 20)
        }
        let budget = MemoryBudget(limitBytes: 256 << 20)
        var configuration = ServerConfiguration()
        configuration.memory = budget
        try await running(Server(configuration, router: router)) { port in
            try await RawClient.connected(to: port) { client in
                for _ in 0..<3 { _ = try await client.call("/test.Echo/Unary", [1]) }
                while answered.value < 3 { try await Task.sleep(for: .milliseconds(1)) }
                while budget.usedBytes < 16 << 20 { try await Task.sleep(for: .milliseconds(1)) }
            }
            while budget.usedBytes > 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    @Test(arguments: [HandlerPlacement.eventLoop, .pool])
    func `a server ends although a connection broke while it was read`(
        placement: HandlerPlacement
    ) async throws {
        let (begun, cancelled) = (Gate(), Gate())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.open()
            await Gate().wait()
            cancelled.open()
            return request
        }
        var configuration = ServerConfiguration()
        configuration.handlers = placement
        let server = Server(configuration, router: router)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let port = try await server.listeningPort()
            try await RawSocket.connected(to: port) { socket in
                await socket.send(Array("GET / HTTP/1.1\r\nhost: test\r\n\r\n".utf8))
                try await socket.untilClosed()
            }
            try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                await socket.send(Frame.call(1, "/test.Echo/Unary"))
                await begun.wait()
                // Frames of a size that ends the connection, and another call in the same read.
                await socket.send(Frame.windowUpdate(0, 0) + Frame.call(3, "/test.Echo/Unary"))
                try await socket.untilClosed()
            }
            await cancelled.wait()
            server.drain()
            try await group.waitForAll()
        }
    }

    @Test func `a service that has said all ends a caller who still writes`() async throws {
        try await RawServer.serving { socket in
            await socket.send(Frame.settings() + Frame.settingsAcknowledged)
            try await socket.until { $0.first(Frame.Kind.headers) != nil }
            // It neither reads on nor resets the stream.
            await socket.send(
                Frame.headers(1, HPACK.response)
                    + Frame.headers(
                        1, HPACK.block([("grpc-status", "9"), ("grpc-message", "enough")]),
                        Frame.endHeaders | Frame.endStream))
            try await socket.until { $0.first(Frame.Kind.reset, on: 1) != nil }
            try await socket.untilClosed()
        } _: { port in
            let client = Client(.dns(host: "127.0.0.1", port: port))
            try await running(client) {
                let ending = await status {
                    _ = try await client.clientStreaming(Echo.collect) { writer in
                        while true { try await writer.write(Bytes(count: 10_000)) }
                    }
                }
                #expect(ending == Status(.failedPrecondition, "enough"))
            }
        }
    }
}
