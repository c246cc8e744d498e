import HTTP2
import NIOCore
import NIOPosix
import RPC
import Synchronization
import Testing
import Wire

/// What a server owes to peers that are slow, silent or one too many.
@Suite(.timeLimit(.minutes(5)))
struct ServerLifeTests {
    static let messages = 64

    /// Answers 64 messages of 64 KiB, as fast as they are taken.
    private func flood() -> Router {
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            for _ in 0..<Self.messages { try await responses.write(Bytes(count: 64 << 10)) }
        }
        return router
    }

    @Test func `a drained server lets a slow reader have all of its answer`() async throws {
        let server = Server(ServerConfiguration(), router: flood())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let port = try await server.listeningPort()
            try await RawClient.connected(to: port) { client in
                let stream = try await client.call("/test.Echo/Expand", [])
                while client.answers[stream]?.byteCount == 0 { _ = try await client.read() }
                server.drain()
                // Long enough for the server to stop waiting for the answer to its ping.
                try await Task.sleep(for: .milliseconds(2300))
                while try await client.read() { try await Task.sleep(for: .milliseconds(2)) }
                let answer = try #require(client.answers[stream])
                #expect(answer.byteCount == Self.messages * ((64 << 10) + 5))
                #expect(answer.trailers["grpc-status"] == "0")
                #expect(client.hasEnded)
            }
            try await group.waitForAll()
        }
    }

    @Test func `the server keeps the deadline of a caller that does not`() async throws {
        let cancelled = Gate()
        var router = Router()
        router.serverStreaming(Echo.expand) { _, _, _ in
            await Gate().wait()
            if Task.isCancelled { cancelled.open() }
        }
        let server = Server(ServerConfiguration(), router: router)
        try await running(server) { port in
            try await RawClient.connected(to: port) { client in
                let stream = try await client.call(
                    "/test.Echo/Expand", [], headers: [("grpc-timeout", "300m")])
                while client.answers[stream]?.trailers.isEmpty == true {
                    guard try await client.read() else { break }
                }
                #expect(client.answers[stream]?.trailers["grpc-status"] == "4")
            }
            await cancelled.wait()
        }
    }

    @Test func `a connection above the limit is closed at once`() async throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = 1
        // Longer than the test may take: nothing but the limit closes the second one.
        configuration.handshakeTimeout = .seconds(600)
        let server = Server(configuration, router: Echo.router)
        try await running(server) { port in
            try await RawClient.connected(to: port) { first in
                _ = try await first.read()
                try await Self.expectClosed(port)
                let stream = try await first.call("/test.Echo/Unary", [1])
                while first.answers[stream]?.trailers.isEmpty == true {
                    guard try await first.read() else { break }
                }
                #expect(first.answers[stream]?.trailers["grpc-status"] == "0")
            }
        }
    }

    /// Connects, sends nothing, and waits for the server to close.
    private static func expectClosed(_ port: Int) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, _ in
            var iterator = inbound.makeAsyncIterator()
            do {
                let bytes = try await iterator.next()
                #expect(bytes == nil)
            } catch is IOError {
                // A reset is an end, too.
            }
        }
    }
}

/// What the client's bookkeeping owes to names that change.
@Suite struct ClientCoreTests {
    private let first = ClientCore.Address(host: "a", numeric: "10.0.0.1", port: 1)
    private let second = ClientCore.Address(host: "b", numeric: "10.0.0.2", port: 1)

    private func core() -> ClientCore {
        let core = ClientCore(
            .addresses([.init(host: "a", port: 1), .init(host: "b", port: 1)]),
            ClientConfiguration())
        #expect(core.begin())
        return core
    }

    @Test func `an address that comes back is another stay than before`() {
        let core = core()
        let before = core.resolved([first, second])
        #expect(before.map(\.address) == [first, second])
        #expect(core.resolved([second]).isEmpty)
        #expect(!core.isWanted(before[0]))
        let after = core.resolved([first, second])
        #expect(after.map(\.address) == [first])
        #expect(core.isWanted(after[0]))
        // Whoever kept the first stay, and slept meanwhile, must not go on beside the second.
        #expect(!core.isWanted(before[0]))
    }

    @Test func `names that are still being asked for take no server its place`() {
        let core = core()
        let before = core.resolved([first])
        let meanwhile = core.resolved([second], isComplete: false)
        #expect(core.isWanted(before[0]) && core.isWanted(meanwhile[0]))
        #expect(core.resolved([second]).isEmpty)
        #expect(!core.isWanted(before[0]) && core.isWanted(meanwhile[0]))
    }
}

/// Many deadlines, few timers.
@Suite(.timeLimit(.minutes(5)))
struct DeadlineTimerTests {
    private final class Item: Expiring {
        let reached = Gate()
        func deadlineReached() { reached.open() }
    }

    @Test func `short deadlines beside a long one leave no timers behind`() async {
        let timer = DeadlineTimer(MultiThreadedEventLoopGroup.singleton.next())
        let long = Item()
        timer.insert(long, at: .now + .seconds(600))
        for _ in 0..<50 {
            let short = Item()
            timer.insert(short, at: .now + .milliseconds(1))
            await short.reached.wait()
        }
        #expect(timer.timerCount <= 2)
        #expect(!long.reached.isOpen)
        timer.remove(long)
    }

    @Test func `deadlines that each come before the last set few timers`() async {
        let timer = DeadlineTimer(MultiThreadedEventLoopGroup.singleton.next())
        let begun = ContinuousClock.now
        for number in 0..<10_000 {
            let item = Item()
            timer.insert(item, at: begun + .seconds(86_400 - number))
            timer.remove(item)
        }
        #expect(timer.timerCount < 40)
        let last = Item()
        timer.insert(last, at: .now + .milliseconds(20))
        await last.reached.wait()
    }
}
