import RPC
import Synchronization
import Testing
import Wire

/// Peers that take their time: memory stays bounded, and timers end what never goes on.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct StallAttackTests {
    private static let flood = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Flood", kind: .serverStreaming)

    /// Writes answers of 64 KiB for as long as it may, and counts those that were taken.
    private static func router(_ written: Counter, _ open: Counter, _ ended: Counter) -> Router {
        var router = ConformanceTests.router
        router.serverStreaming(flood) { _, responses, _ in
            open.add()
            defer { ended.add() }
            for _ in 0..<200 {
                try await responses.write(Bytes(count: 64 << 10))
                written.add()
            }
        }
        return router
    }

    private static var impatient: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.writeBufferBytes = 64 << 10
        configuration.handshakeTimeout = .milliseconds(500)
        configuration.keepalive = Keepalive(
            interval: .milliseconds(500), timeout: .milliseconds(500))
        return configuration
    }

    /// Runs an attack beside a client that goes on calling.
    private static func attack(
        _ name: String, _ router: Router, _ configuration: ServerConfiguration,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await Attack(name, configuration).run(router) { port in
            try await body(port)
            return 0
        }
    }

    @Test func `windows that are never opened hold a bounded answer each`() async throws {
        let (written, open, ended) = (Counter(), Counter(), Counter())
        let router = Self.router(written, open, ended)
        try await Self.attack("zero windows", router, Self.impatient) { port in
            try await RawSocket.connected(to: port) { socket in
                await socket.begin([(4, 0)])
                for id in 0..<100 as Range<UInt32> {
                    await socket.send(Frame.call(2 * id + 1, "/test.Echo/Flood"))
                }
                try await Self.wait { open.value == 100 }
                // Each handler is held at its buffer's limit, whatever time passes.
                try await Task.sleep(for: .milliseconds(300))
                #expect(written.value <= 100 * 2)
                // The silent peer does not answer the keepalive's PING.
                try await socket.untilClosed()
            }
            try await Self.wait { ended.value == 100 }
        }
    }

    @Test func `windows that are opened by single bytes cost no more than they send`() async throws
    {
        let (written, open, ended) = (Counter(), Counter(), Counter())
        let router = Self.router(written, open, ended)
        try await Self.attack("windows of one byte", router, Self.impatient) { port in
            try await RawSocket.connected(to: port) { socket in
                await socket.begin([(4, 0)])
                await socket.send(Frame.call(1, "/test.Echo/Flood"))
                for _ in 0..<20_000 where !socket.seen.isClosed {
                    await socket.send(Frame.windowUpdate(1, 1))
                }
                #expect(written.value <= 3)
            }
            try await Self.wait { ended.value == 1 }
        }
    }

    @Test func `a client that does not read its socket is held, and cut off in the end`()
        async throws
    {
        let (written, open, ended) = (Counter(), Counter(), Counter())
        let router = Self.router(written, open, ended)
        try await Self.attack("a slow reader", router, Self.impatient) { port in
            try await RawSocket.connected(to: port, reads: false) { socket in
                await socket.begin([(4, (1 << 31) - 1)])
                await socket.send(Frame.windowUpdate(0, (1 << 31) - 1 - 65_535))
                for id in 0..<50 as Range<UInt32> {
                    await socket.send(Frame.call(2 * id + 1, "/test.Echo/Flood"))
                }
                try await Self.wait { ended.value == 50 }
                // The rest of 10,000 was never written: some megabytes lie in the kernel.
                #expect(written.value < 1000)
            }
        }
    }

    @Test func `a client that says nothing is cut off`() async throws {
        try await Self.attack("half-open sockets", Echo.router, Self.impatient) { port in
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await RawSocket.connected(to: port) { socket in
                            _ = try await socket.untilClosed()
                        }
                    }
                }
            }
        }
    }

    @Test func `a client that sends its first frames byte by byte is cut off`() async throws {
        try await Self.attack("a slow writer", Echo.router, Self.impatient) { port in
            try await RawSocket.connected(to: port) { socket in
                for byte in Frame.preface + Frame.settings() where !socket.seen.isClosed {
                    await socket.send([byte])
                    try await Task.sleep(for: .milliseconds(50))
                }
                try await socket.untilClosed()
            }
        }
    }

    @Test func `a message that is announced and never sent costs no memory`() async throws {
        try await Self.attack("announced messages", ConformanceTests.router, ServerConfiguration())
        {
            port in
            try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                for id in 0..<500 as Range<UInt32> {
                    await socket.send(
                        Frame.headers(2 * id + 1, HPACK.request("/test.Echo/Collect"))
                            + Frame.data(2 * id + 1, Frame.prefixed([], length: 16 << 20)))
                }
                try await ConformanceTests.isServed(socket)
            }
        }
    }

    @Test func `requests that nobody reads stay within their windows`() async throws {
        var router = Router()
        router.unary(Echo.unary) { request, _ in request }
        let silent = Gate()
        router.clientStreaming(Echo.collect) { _, _ in
            await silent.wait()
            return Bytes([])
        }
        try await Self.attack("unread requests", router, ServerConfiguration()) { port in
            try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                await socket.send(Frame.headers(1, HPACK.request("/test.Echo/Collect")))
                // Messages of one byte, the costliest to keep, up to the window and beyond it.
                let message = Frame.prefixed([1])
                let portion = [[UInt8]](repeating: message, count: 2700).flatMap { $0 }
                for _ in 0..<100 where !socket.seen.isClosed {
                    await socket.send(Frame.data(1, portion))
                }
                let seen = try await socket.until {
                    $0.first(Frame.Kind.reset) != nil || $0.goAway != nil
                }
                let code = seen.first(Frame.Kind.reset)?.errorCode ?? seen.goAway?.errorCode
                #expect(code == ConformanceCase.flowControlError)
            }
            silent.open()
        }
    }

    @Test func `connections beyond the limit are closed, and the limit is free again`() async throws
    {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = 10
        try await Self.attack("connections", Echo.router, configuration) { port in
            for _ in 0..<3 {
                let refused = Counter()
                try await withThrowingDiscardingTaskGroup { group in
                    for _ in 0..<30 {
                        group.addTask {
                            try await RawSocket.connected(to: port) { socket in
                                await socket.begin()
                                let seen = try await socket.until {
                                    $0.isClosed || $0.first(Frame.Kind.settings) != nil
                                }
                                if seen.isClosed { refused.add() }
                                try await Self.wait { refused.value >= 21 }
                            }
                        }
                    }
                }
                #expect(refused.value == 21)
                try await Self.wait(for: port)
            }
        }
    }

    @Test func `connections that come and go leave no memory behind`() async throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = 3
        try await withServer(Echo.router, configuration) { _, _, port in
            try await Self.visit(port, times: 300)
            let before = Toll.now
            // A session that stayed would hold 50 KiB, a connection that was refused likewise.
            try await Self.visit(port, times: 3000)
            let grown = Toll.now.residentBytes - before.residentBytes
            #expect(Toll.isSanitized || grown < 16 << 20, "\(grown) bytes more")
        }
    }

    /// Connects again and again: one in three makes a call, one is refused, one leaves at once.
    private static func visit(_ port: Int, times: Int) async throws {
        for _ in 0..<times / 3 {
            try await RawSocket.connected(to: port) { first in
                await first.begin()
                await first.send(Frame.call(1))
                try await first.until { $0.isClosed || $0.first(Frame.Kind.data) != nil }
                try await RawSocket.connected(to: port) { _ in
                    try await RawSocket.connected(to: port) { third in
                        await third.begin()
                        try await third.until { $0.isClosed || !$0.frames.isEmpty }
                    }
                }
            }
        }
    }

    /// Waits until nine connections can be open at once again.
    private static func wait(for port: Int) async throws {
        try await RawSocket.connected(to: port) { socket in
            await socket.begin()
            try await socket.until { $0.isClosed || $0.first(Frame.Kind.settings) != nil }
        }
        try await Task.sleep(for: .milliseconds(100))
    }

    static func wait(until condition: () -> Bool) async throws {
        let start = ContinuousClock.now
        while !condition() {
            try #require(ContinuousClock.now - start < .seconds(60))
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
