import NIOCore
import RPC
import Synchronization
import Testing
import Wire

/// Changes of the servers under load, health that is watched, states that are told.
@Suite(.timeLimit(.minutes(5)))
struct ReplicaTests {
    /// What callers saw while they called without pause.
    private final class Load: Sendable {
        private struct State {
            var answers: [UInt8: Int] = [:]
            var failures: [Status] = []
            var isOver = false
        }

        private let state = Mutex(State())
        var failures: [Status] { state.withLock { $0.failures } }
        func answers(of name: UInt8) -> Int { state.withLock { $0.answers[name] ?? 0 } }
        func end() { state.withLock { $0.isOver = true } }

        /// Calls until the end; a call that the load is not told of is a failure.
        func run(_ client: Client) async {
            while !state.withLock({ $0.isOver }) {
                do {
                    let name = try await client.unary(Echo.repeatable, Bytes([])).bytes[0]
                    state.withLock { $0.answers[name, default: 0] += 1 }
                } catch {
                    state.withLock { $0.failures.append(Status(describing: error)) }
                }
            }
        }

        /// Waits until a server has answered so many calls from now on.
        func more(_ count: Int, of name: UInt8) async throws {
            let goal = answers(of: name) + count
            try await until { answers(of: name) >= goal || !failures.isEmpty }
        }
    }

    /// A server whose calls take a moment, so that some are open at any time.
    private func server(_ name: UInt8) -> Server {
        var router = Router()
        router.unary(Echo.repeatable) { _, _ in
            try await Task.sleep(for: .milliseconds(2))
            return Bytes([name])
        }
        return Server(ServerConfiguration(), router: router)
    }

    private func loading(
        _ client: Client, _ body: @escaping @Sendable (Load) async throws -> Void
    ) async throws {
        let load = Load()
        try await running(client) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { await load.run(client) } }
                defer { load.end() }
                try await body(load)
                load.end()
                try await group.waitForAll()
            }
        }
        #expect(load.failures.isEmpty, "\(load.failures.prefix(3))")
    }

    @Test func `a server that joins takes its share, and one that leaves is not called`()
        async throws
    {
        try await running([server(1), server(2), server(3)]) { ports in
            let client = Client(local([ports[0], ports[1]]))
            try await loading(client) { load in
                try await load.more(50, of: 2)
                #expect(load.answers(of: 3) == 0)
                client.update(local(ports))
                try await load.more(50, of: 3)
                client.update(local(Array(ports.dropFirst())))
                try await until { client.servers.count == 2 }
                // Those that were open then may still end.
                try await load.more(30, of: 2)
                let left = load.answers(of: 1)
                try await load.more(50, of: 2)
                try await load.more(50, of: 3)
                #expect(load.answers(of: 1) == left)
            }
        }
        // A name is asked for again so soon that a server behind it joins within five seconds.
        #expect(ClientConfiguration().resolveInterval <= .seconds(2))
    }

    @Test func `a server that drains costs no caller an error`() async throws {
        let (first, second) = (server(1), server(2))
        try await withThrowingTaskGroup(of: Void.self) { group in
            let drained = Gate()
            group.addTask {
                try await first.run()
                drained.open()
            }
            let port = try await first.listeningPort()
            try await running(second) { other in
                let client = Client(local([port, other]))
                try await loading(client) { load in
                    try await load.more(50, of: 1)
                    first.drain()
                    await drained.wait()
                    try await load.more(50, of: 2)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `servers killed in the middle of calls cost no caller an error`() async throws {
        try await running([server(1), server(2), server(3)]) { ports in
            let relays = ports.map { Relay(to: $0) }
            var addresses: [Int] = []
            for relay in relays { addresses.append(try await relay.listen()) }
            let client = Client(local(addresses))
            try await loading(client) { load in
                for name in UInt8(1)...3 { try await load.more(30, of: name) }
                try await relays[0].kill()
                try await load.more(100, of: 3)
                try await relays[1].kill()
                try await load.more(100, of: 3)
                #expect(client.servers.count { $0.state == .ready } == 1)
            }
            try await relays[2].kill()
        }
    }

    // MARK: Health

    @Test func `a server that says it does not serve gets no calls`() async throws {
        let counts = [Counter(), Counter()]
        let servers = counts.enumerated().map { index, count in
            Server(ServerConfiguration(), router: named(UInt8(index), count))
        }
        servers[0].health.set(service: "test.Echo", .notServing)
        var configuration = ClientConfiguration()
        configuration.healthService = "test.Echo"
        try await running(servers) { [configuration] ports in
            let client = Client(local(ports), configuration)
            try await running(client) {
                try await client.untilReady(1)
                for _ in 0..<30 { _ = try await client.unary(Echo.unary, Bytes([])) }
                #expect(counts.map(\.value) == [0, 30])
                servers[0].health.set(service: "test.Echo", .serving)
                try await client.untilReady(2)
                while counts[0].value == 0 {
                    _ = try await client.unary(Echo.unary, Bytes([]))
                }
                for server in servers { server.health.set(service: "test.Echo", .notServing) }
                try await client.untilReady(0)
                let failure = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
                #expect(failure.code == .unavailable)
                #expect(failure.message.contains("\"test.Echo\" is notServing"))
                async let patient = client.unary(
                    Echo.unary, Bytes([]),
                    options: CallOptions(deadline: .seconds(240), waitForReady: true))
                try await until { client.waitingCalls == 1 }
                servers[1].health.set(service: "test.Echo", .serving)
                try await expectEqual(patient, Bytes([1]))
            }
        }
    }

    @Test func `a service nobody knows is not served`() async throws {
        var configuration = ClientConfiguration()
        configuration.healthService = "no.Service"
        try await withServer(Echo.router, client: configuration) { client, _, _ in
            let failure = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(failure.message.contains("\"no.Service\" is serviceUnknown"))
        }
    }

    @Test func `a server that does not know the watch counts as healthy`() async throws {
        let listener = try await PlainServer.listen()
        var configuration = ClientConfiguration()
        configuration.healthService = "test.Echo"
        let client = Client(local([try #require(listener.localAddress?.port)]), configuration)
        try await running(client) {
            try await expectEqual(client.unary(Echo.unary, Bytes([1])), Bytes([]))
        }
        try await listener.close()
    }

    // MARK: States

    @Test func `the client tells its state as it changes`() async throws {
        let seen = Mutex<[Connectivity]>([])
        let server = server(1)
        try await running(server) { port in
            let client = Client(local([port]))
            var states = client.connectivity.makeAsyncIterator()
            await expectEqual(states.next(), .idle)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                while let state = await states.next() {
                    seen.withLock { $0.append(state) }
                    if state == .ready {
                        let servers = client.servers
                        #expect(servers.map(\.address) == ["127.0.0.1:\(port)"])
                        #expect(servers.map(\.state) == [.ready])
                        #expect(servers.map(\.connections) == [1])
                        group.cancelAll()
                    }
                }
                try await group.waitForAll()
            }
            var late = client.connectivity.makeAsyncIterator()
            await expectEqual(late.next(), .shutdown)
            await expectEqual(late.next(), nil)
        }
        #expect(seen.withLock { $0.prefix(2) } == [.connecting, .ready])
        #expect(seen.withLock { $0.last } == .shutdown)
    }

    @Test func `a client that reaches nobody says so`() async throws {
        let client = Client(.unix("/no/such/hone.sock"))
        try await running(client) {
            for await state in client.connectivity where state == .transientFailure { break }
            let snapshot = try #require(client.servers.first)
            guard case .failed(let reason) = snapshot.state else {
                // It is being connected to once more.
                return
            }
            #expect(reason.contains("unix:/no/such/hone.sock"))
        }
    }
}
