import RPC
import Testing
import Wire

/// How a server ends under its clients, with sockets and without.
@Suite(.timeLimit(.minutes(5)))
struct ConformanceDrainTests {
    private func client(of server: Server, inProcess: Bool) async throws -> Client {
        let addresses = try await server.listeningAddresses()
        guard !inProcess else { return Client(inProcess: server) }
        return Client(.dns(host: "127.0.0.1", port: addresses[0].port ?? 0))
    }

    private func server(_ router: Router, inProcess: Bool) -> Server {
        var configuration = ServerConfiguration()
        if inProcess { configuration.addresses = [] }
        return Server(configuration, router: router)
    }

    @Test(arguments: [false, true])
    func `a drained server finishes open calls and takes no new ones`(inProcess: Bool) async throws
    {
        let (begun, release) = (Gate(), Gate())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.open()
            await release.wait()
            return request
        }
        let server = server(router, inProcess: inProcess)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let drained = Gate()
            group.addTask {
                try await server.run()
                drained.open()
            }
            let client = try await client(of: server, inProcess: inProcess)
            try await running(client) {
                async let answer = client.unary(Echo.unary, Bytes([7]))
                await begun.wait()
                server.drain()
                var late = Status.ok
                while late.code != .unavailable {
                    late = await status {
                        _ = try await client.unary(
                            Echo.repeatable, Bytes([]),
                            options: CallOptions(deadline: .seconds(5)))
                    }
                }
                #expect(!drained.isOpen)
                release.open()
                let finished = try await answer
                #expect(finished == Bytes([7]))
            }
            try await group.waitForAll()
            #expect(drained.isOpen)
        }
    }

    @Test(arguments: [false, true])
    func `a cancelled server ends open calls and their handlers`(inProcess: Bool) async throws {
        let (begun, cancelled) = (Gate(), Gate())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.open()
            await Gate().wait()
            if Task.isCancelled { cancelled.open() }
            try Task.checkCancellation()
            return request
        }
        let server = server(router, inProcess: inProcess)
        let stop = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await withThrowingTaskGroup(of: Void.self) { life in
                    life.addTask { try await server.run() }
                    await stop.wait()
                    life.cancelAll()
                    try await life.waitForAll()
                }
            }
            let client = try await client(of: server, inProcess: inProcess)
            try await running(client) {
                async let ended = status { _ = try await client.unary(Echo.unary, Bytes([])) }
                await begun.wait()
                stop.open()
                // Not `cancelled`: that would say that the caller gave it up.
                await expectEqual(ended.code, .unavailable)
            }
            await cancelled.wait()
        }
    }
}
