import RPC
import Testing
import Wire

/// Servers that take few calls on a connection.
@Suite(.timeLimit(.minutes(5)))
struct ScalingTests {
    private func stuck(_ begun: Counter, _ release: Gate) -> Router {
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.add()
            await release.wait()
            return request
        }
        return router
    }

    private func server(_ router: Router) -> Server {
        var configuration = ServerConfiguration()
        configuration.maximumConcurrentStreams = 2
        return Server(configuration, router: router)
    }

    /// Makes so many calls at once, and lets `body` look while they run.
    private func making(
        _ count: Int, with client: Client, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask {
                    let message = Bytes([UInt8(number)])
                    try await expectEqual(client.unary(Echo.unary, message), message)
                }
            }
            try await body()
            try await group.waitForAll()
        }
    }

    @Test func `a full connection gets a sister, up to the limit`() async throws {
        let (begun, release) = (Counter(), Gate())
        try await running(server(stuck(begun, release))) { port in
            var configuration = ClientConfiguration()
            configuration.maximumConnectionsPerServer = 3
            let client = Client(local([port]), configuration)
            try await running(client) {
                try await making(8, with: client) {
                    // Six calls run on three connections, and two wait in the client.
                    try await until { begun.value == 6 && client.waitingCalls == 2 }
                    #expect(client.servers.map(\.connections) == [3])
                    #expect(client.servers.map(\.openCalls) == [6])
                    release.open()
                }
                try await until { client.servers.allSatisfy { $0.openCalls == 0 } }
                // What was idle for a minute goes, but for the first.
                for minutes in 1...6 { client.core.tick(at: .now + .seconds(61 * minutes)) }
                #expect(client.servers.map(\.connections) == [1])
                try await expectEqual(client.unary(Echo.unary, Bytes([9])), Bytes([9]))
            }
        }
    }

    @Test func `with one connection, calls wait their turn and none is lost`() async throws {
        let (begun, release) = (Counter(), Gate())
        try await running(server(stuck(begun, release))) { port in
            var configuration = ClientConfiguration()
            configuration.maximumConnectionsPerServer = 1
            let client = Client(local([port]), configuration)
            try await running(client) {
                try await making(30, with: client) {
                    try await until { begun.value == 2 && client.waitingCalls == 28 }
                    release.open()
                }
                #expect(begun.value == 30)
                #expect(client.servers.map(\.connections) == [1])
            }
        }
    }

    @Test func `a call that waits ends by its deadline, and leaves its place`() async throws {
        let (begun, release) = (Counter(), Gate())
        try await running(server(stuck(begun, release))) { port in
            var configuration = ClientConfiguration()
            configuration.maximumConnectionsPerServer = 1
            let client = Client(local([port]), configuration)
            try await running(client) {
                try await making(2, with: client) {
                    try await until { begun.value == 2 }
                    let options = CallOptions(deadline: .milliseconds(10))
                    let late = await status {
                        _ = try await client.unary(Echo.unary, Bytes([]), options: options)
                    }
                    #expect(late.code == .deadlineExceeded)
                    #expect(client.waitingCalls == 0)
                    release.open()
                }
            }
        }
    }

    @Test func `calls that another server has room for do not wait`() async throws {
        let (begun, release, free) = (Counter(), Gate(), Counter())
        let servers = [
            server(stuck(begun, release)),
            Server(ServerConfiguration(), router: named(7, free)),
        ]
        try await running(servers) { ports in
            var configuration = ClientConfiguration()
            configuration.maximumConnectionsPerServer = 1
            configuration.balancing = .roundRobin
            let client = Client(local(ports), configuration)
            try await running(client) {
                try await client.untilReady(2)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 {
                        group.addTask { _ = try await client.unary(Echo.unary, Bytes([])) }
                    }
                    try await until { begun.value == 2 && free.value == 18 }
                    release.open()
                    try await group.waitForAll()
                }
            }
        }
    }
}
