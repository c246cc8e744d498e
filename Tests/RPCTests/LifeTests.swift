import RPC
import Synchronization
import Testing
import Wire

/// Health, drain, reconnection and balancing.
@Suite(.timeLimit(.minutes(5)))
struct LifeTests {
    /// A router whose unary call answers a name, and counts.
    private func named(_ name: UInt8, _ count: Counter = Counter()) -> Router {
        var router = Router()
        router.unary(Echo.unary) { _, _ in
            count.add()
            return Bytes([name])
        }
        router.unary(Echo.repeatable) { _, _ in
            count.add()
            return Bytes([name])
        }
        return router
    }

    @Test func `a server without calls drains at once`() async throws {
        let server = Server(ServerConfiguration(), router: Router())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let client = Client(.dns(host: "127.0.0.1", port: try await server.listeningPort()))
            let drained = Gate()
            group.addTask {
                try await running(client) {
                    _ = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
                    server.drain()
                    await drained.wait()
                }
            }
            try await group.next()
            drained.open()
            try await group.waitForAll()
        }
        let never = Server(ServerConfiguration(), router: Router())
        never.drain()
        try await never.run()
    }

    @Test func `a client reconnects after its server came back`() async throws {
        // An address of this test's own: nobody else takes a port that is free between two servers.
        var configuration = ServerConfiguration(host: "127.83.21.5")
        let first = Server(configuration, router: named(1))
        configuration.port = try await running(first) { $0 }
        let client = Client(.dns(host: configuration.host, port: configuration.port))
        try await running(client) { [configuration] in
            let patient = CallOptions(deadline: .seconds(240), waitForReady: true)
            for name in UInt8(1)...3 {
                let server = Server(configuration, router: self.named(name))
                let answer = try await running(server) { _ in
                    try await client.unary(Echo.repeatable, Bytes([]), options: patient)
                }
                #expect(answer == Bytes([name]))
            }
        }
    }

    @Test func `a rolling restart loses no call`() async throws {
        let first = Server(ServerConfiguration(), router: named(1))
        let second = Server(ServerConfiguration(), router: named(2))
        try await withThrowingTaskGroup(of: Void.self) { servers in
            let firstEnded = Gate()
            servers.addTask {
                try await first.run()
                firstEnded.open()
            }
            servers.addTask { try await second.run() }
            let client = Client(
                .addresses([
                    .init(host: "127.0.0.1", port: try await first.listeningPort()),
                    .init(host: "127.0.0.1", port: try await second.listeningPort()),
                ]))
            try await running(client) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<8 {
                        group.addTask {
                            for number in 0..<300 {
                                if task == 0, number == 100 { first.drain() }
                                _ = try await client.unary(Echo.unary, Bytes([]))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                await firstEnded.wait()
                try await expectEqual(client.unary(Echo.unary, Bytes([])), Bytes([2]))
            }
            second.drain()
            try await servers.waitForAll()
        }
    }

    @Test(arguments: [Balancing.roundRobin, .leastLoaded])
    func `calls are spread over all servers`(balancing: Balancing) async throws {
        let counts = [Counter(), Counter()]
        let router = { @Sendable (index: Int) in self.named(UInt8(index), counts[index]) }
        try await running(Server(ServerConfiguration(), router: router(0))) { first in
            try await running(Server(ServerConfiguration(), router: router(1))) { second in
                var configuration = ClientConfiguration()
                configuration.balancing = balancing
                let client = Client(
                    try Target(parsing: "127.0.0.1:\(first),127.0.0.1:\(second)"), configuration)
                try await running(client) {
                    // Calls go to whoever is ready, so both must be before the count means much.
                    while counts.contains(where: { $0.value == 0 }) {
                        _ = try await client.unary(Echo.unary, Bytes([]))
                    }
                    let before = counts.map(\.value)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<4 {
                            group.addTask {
                                for _ in 0..<100 {
                                    _ = try await client.unary(Echo.unary, Bytes([]))
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    // In turn is even; by load the quicker server gets more, and may get most.
                    let least = balancing == .roundRobin ? 190 : 1
                    for index in 0..<2 { #expect(counts[index].value - before[index] >= least) }
                }
            }
        }
    }

    @Test func `the busy server gets fewer calls`() async throws {
        let (stuck, ready, quick, release) = (Counter(), Counter(), Counter(), Gate())
        var slow = Router()
        slow.unary(Echo.repeatable) { request, _ in
            ready.add()
            return request
        }
        slow.unary(Echo.unary) { _, _ in
            stuck.add()
            await release.wait()
            return Bytes([1])
        }
        let slowRouter = slow
        try await running(Server(ServerConfiguration(), router: slowRouter)) { first in
            let server = Server(ServerConfiguration(), router: self.named(2, quick))
            try await running(server) { second in
                let client = Client(try Target(parsing: "127.0.0.1:\(first),127.0.0.1:\(second)"))
                try await running(client) {
                    // Both servers must be connected before a choice can be seen.
                    while quick.value < 1 || ready.value < 1 {
                        _ = try await client.unary(Echo.repeatable, Bytes([]))
                    }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            // The last of these is the one that gets stuck.
                            while stuck.value == 0 {
                                _ = try await client.unary(Echo.unary, Bytes([]))
                            }
                        }
                        while stuck.value == 0 { try await Task.sleep(for: .milliseconds(1)) }
                        for _ in 0..<50 { _ = try await client.unary(Echo.unary, Bytes([])) }
                        #expect(stuck.value == 1)
                        release.open()
                        try await group.waitForAll()
                    }
                }
            }
        }
    }

    @Test func `an idempotent call is tried again where a server is unavailable`() async throws {
        let count = Counter()
        var router = Router()
        router.unary(Echo.repeatable) { request, _ in
            count.add()
            if count.value < 3 { throw Status(.unavailable, "warming up") }
            return request
        }
        router.unary(Echo.unary) { _, _ in
            count.add()
            throw Status(.unavailable, "warming up")
        }
        try await withServer(router) { client, _, _ in
            try await expectEqual(client.unary(Echo.repeatable, Bytes([5])), Bytes([5]))
            #expect(count.value == 3)
            let once = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(once == Status(.unavailable, "warming up"))
            #expect(count.value == 4)
        }
    }

    @Test func `the observer hears of every call's end`() async throws {
        final class Observer: CallObserver {
            let summaries = Mutex<[CallSummary]>([])
            func callEnded(_ summary: CallSummary) { summaries.withLock { $0.append(summary) } }
        }
        let (server, client) = (Observer(), Observer())
        var serverConfiguration = ServerConfiguration()
        serverConfiguration.observer = server
        var clientConfiguration = ClientConfiguration()
        clientConfiguration.observer = client
        try await withServer(Echo.router, serverConfiguration, client: clientConfiguration) {
            caller, _, _ in
            _ = try await caller.unary(Echo.unary, Bytes([1]))
            _ = await status {
                let missing = Method<Bytes, Bytes>(service: "no", name: "No", kind: .unary)
                _ = try await caller.unary(missing, Bytes([]))
            }
        }
        let methods = client.summaries.withLock { $0.map(\.method) }
        #expect(methods == ["/test.Echo/Unary", "/no/No"])
        #expect(client.summaries.withLock { $0.map(\.status.code) } == [.ok, .unimplemented])
        #expect(server.summaries.withLock { $0.map(\.method) } == ["/test.Echo/Unary"])
    }
}
