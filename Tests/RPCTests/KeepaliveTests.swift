import RPC
import TestKit
import Testing
import Wire

/// How a client finds out that a silent connection is dead, and does not wake a live one for nothing.
@Suite(.timeLimit(.minutes(5)))
struct KeepaliveTests {
    private static func pinging(
        every interval: Duration, idle: Duration? = nil, timeout: Duration
    ) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.keepalive = Keepalive(
            interval: interval, idleInterval: idle, timeout: timeout)
        configuration.backoff = Backoff(first: .milliseconds(1))
        return configuration
    }

    private static let settings = Frame.settings() + Frame.settingsAcknowledged

    @Test func `a call at a server that answers no PING ends, though it has no deadline`()
        async throws
    {
        try await RawServer.serving { socket in
            await socket.send(Self.settings)
            try await socket.untilClosed()
        } _: { port in
            let client = Client(
                .dns(host: "127.0.0.1", port: port),
                Self.pinging(every: .milliseconds(20), timeout: .milliseconds(50)))
            try await running(client) {
                let ending = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
                #expect(ending.code == .unavailable)
                #expect(ending.message.contains("keepalive"))
            }
        }
    }

    @Test func `a call that takes longer than many PINGs is left alone`() async throws {
        let pings = Counter()
        try await RawServer.serving { socket in
            await socket.send(Self.settings)
            var answered = 0
            while true {
                let seen = try await socket.until { seen in
                    seen.isClosed || seen.frames.count { Self.isPing($0) } > answered
                }
                if seen.isClosed { return }
                for frame in seen.frames.filter(Self.isPing).dropFirst(answered) {
                    answered += 1
                    pings.add()
                    await socket.send(
                        Frame(Frame.Kind.ping, Frame.acknowledged, on: 0, frame.payload).bytes)
                }
                guard answered == 10 else { continue }
                await socket.send(
                    Frame.headers(1, HPACK.response) + Frame.data(1, Frame.prefixed([7]))
                        + Frame.headers(1, HPACK.success, Frame.endHeaders | Frame.endStream))
            }
        } _: { port in
            let client = Client(
                .dns(host: "127.0.0.1", port: port),
                Self.pinging(every: .milliseconds(10), timeout: .seconds(60)))
            try await running(client) {
                try await expectEqual(client.unary(Echo.unary, Bytes([])), Bytes([7]))
                #expect(pings.value == 10)
            }
        }
    }

    @Test func `a connection without calls is not woken before its own time`() async throws {
        let idle = Counter()
        let isDone = Gate()
        try await RawServer.serving { socket in
            await socket.send(Self.settings)
            try await socket.until { $0.first(Frame.Kind.settings) != nil }
            await isDone.wait()
            idle.add(socket.seen.frames.count { Self.isPing($0) })
        } _: { port in
            let client = Client(
                .dns(host: "127.0.0.1", port: port),
                Self.pinging(
                    every: .milliseconds(5), idle: .seconds(600), timeout: .seconds(60)))
            try await running(client) {
                try await client.untilReady(1)
                // Forty times as long as a connection with calls may be silent.
                try await Task.sleep(for: .milliseconds(200))
                isDone.open()
            }
        }
        #expect(idle.value == 0)
    }

    @Test func `a server that sends pingers away is pinged half as often, and calls go on`()
        async throws
    {
        var server = ServerConfiguration()
        server.pingBurst = 2
        server.minimumPingInterval = .seconds(3600)
        var router = Router()
        router.unary(Echo.unary) { _, _ in
            await Gate().wait()
            return Bytes([])
        }
        router.unary(Echo.repeatable) { request, _ in request }
        let configuration = Self.pinging(every: .milliseconds(5), timeout: .seconds(60))
        try await withServer(router, server, client: configuration) { client, _, _ in
            // The call that stays open lets the client ping; it is lost with its connection.
            let lost = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(lost.code == .unavailable)
            try await until { client.core.keepalive.interval >= .milliseconds(10) }
            let options = CallOptions(waitForReady: true)
            try await expectEqual(
                client.unary(Echo.repeatable, Bytes([1]), options: options), Bytes([1]))
        }
    }

    private static func isPing(_ frame: Frame) -> Bool {
        frame.type == Frame.Kind.ping && frame.flags & Frame.acknowledged == 0
    }
}

/// How long a client waits between its attempts to connect.
struct BackoffTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `pauses grow by their factor up to the longest, each off by a fifth`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let backoff = Backoff(first: .milliseconds(100), multiplier: 1.6, maximum: .seconds(10))
        var expected = 0.1
        for failures in 1...20 {
            let pause = backoff.delay(afterFailures: failures, using: &random) / .seconds(1)
            #expect(pause >= expected * 0.799 && pause <= expected * 1.201, "\(failures)")
            expected = min(expected * 1.6, 10)
        }
    }
}
