import RPC
import Synchronization
import Testing
import Wire

/// Connections that have grown old or idle.
@Suite(.timeLimit(.minutes(5)))
struct ConnectionAgeTests {
    /// Who has called.
    private final class Peers: Sendable {
        private let addresses = Mutex<Set<String>>([])
        var count: Int { addresses.withLock { $0.count } }
        func add(_ address: String) { addresses.withLock { _ = $0.insert(address) } }
    }

    @Test func `connections end of age under load, and no call is lost`() async throws {
        let peers = Peers()
        var router = Router()
        router.unary(Echo.unary) { request, context in
            peers.add(context.peer.address)
            return request
        }
        router.bidirectional(Echo.chat) { requests, responses, _ in
            for try await request in requests { try await responses.write(request) }
        }
        var configuration = ServerConfiguration()
        configuration.maximumConnectionAge = .milliseconds(50)
        try await withServer(router, configuration) { client, _, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<6 {
                    group.addTask {
                        // Until five connections have had their turn, however slow the machine.
                        while peers.count < 5 {
                            let message = Bytes([UInt8(task)])
                            guard task == 0 else {
                                try await expectEqual(client.unary(Echo.unary, message), message)
                                continue
                            }
                            let count = try await client.bidirectional(Echo.chat) { writer in
                                for _ in 0..<20 { try await writer.write(message) }
                            } _: { answers in
                                try await answers.reduce(into: 0) { count, _ in count += 1 }
                            }
                            #expect(count == 20)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a call that outlives the grace is ended, with its handler`() async throws {
        let cancelled = Gate()
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            await Gate().wait()
            if Task.isCancelled { cancelled.open() }
            return request
        }
        var configuration = ServerConfiguration()
        configuration.maximumConnectionAge = .milliseconds(20)
        configuration.connectionAgeGrace = .milliseconds(20)
        try await withServer(router, configuration) { client, _, _ in
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status.code == .unavailable)
            await cancelled.wait()
        }
    }

    @Test func `without a grace an old connection's calls end as they like`() async throws {
        let begun = Gate()
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.open()
            try await Task.sleep(for: .milliseconds(300))
            return request
        }
        var configuration = ServerConfiguration()
        configuration.maximumConnectionAge = .milliseconds(20)
        let server = Server(configuration, router: router)
        try await running(server) { port in
            try await RawClient.connected(to: port) { client in
                let stream = try await client.call("/test.Echo/Unary", [1])
                try await expectEqual(client.status(of: stream), "0")
                while try await client.read() {}
                #expect(client.goAway != nil)
            }
        }
        #expect(begun.isOpen)
    }

    @Test func `an idle connection is drained, one with an open call is not`() async throws {
        let release = Gate()
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            await release.wait()
            return request
        }
        var configuration = ServerConfiguration()
        configuration.maximumConnectionIdle = .milliseconds(40)
        try await running(Server(configuration, router: router)) { port in
            try await RawClient.connected(to: port) { busy in
                let stream = try await busy.call("/test.Echo/Unary", [1])
                try await RawClient.connected(to: port) { idle in
                    while try await idle.read() {}
                    #expect(idle.goAway != nil)
                }
                #expect(busy.goAway == nil)
                release.open()
                try await expectEqual(busy.status(of: stream), "0")
                #expect(busy.goAway == nil)
                while try await busy.read() {}
                #expect(busy.goAway != nil)
            }
        }
    }
}
