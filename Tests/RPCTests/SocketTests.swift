import FoundationEssentials
import RPC
import Testing

/// Calls over sockets of the machine.
@Suite(.timeLimit(.minutes(5)))
struct SocketTests {
    private func withPath(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path
        let path = "\(folder)/hone-\(UInt64.random(in: 0 ... .max)).sock"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    @Test func `a call goes through a socket of the machine`() async throws {
        try await withPath { path in
            try await running(Server(ServerConfiguration(), router: named(7))) { port in
                let relay = Relay(to: port)
                try await relay.listen(at: path)
                let client = Client(try Target(parsing: "unix:\(path)"))
                try await running(client) {
                    try await expectEqual(client.unary(Echo.unary, Bytes([])), Bytes([7]))
                    #expect(client.servers.map(\.address) == ["unix:\(path)"])
                }
                try await relay.kill()
            }
        }
    }

    @Test func `a list holds sockets and hosts`() async throws {
        try await withPath { path in
            let servers = [1, 2].map { Server(ServerConfiguration(), router: named($0)) }
            try await running(servers) { ports in
                let relay = Relay(to: ports[0])
                try await relay.listen(at: path)
                let client = Client(try Target(parsing: "unix:\(path),127.0.0.1:\(ports[1])"))
                try await running(client) {
                    try await client.untilReady(2)
                    var seen: Set<UInt8> = []
                    while seen.count < 2 {
                        seen.insert(try await client.unary(Echo.unary, Bytes([])).bytes[0])
                    }
                }
                try await relay.kill()
            }
        }
    }

    @Test func `a socket that is not there is named in the failure`() async throws {
        let client = Client(.unix("/no/such/hone.sock"))
        try await running(client) {
            let failure = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(failure.code == .unavailable)
            #expect(failure.message.contains("unix:/no/such/hone.sock"))
        }
    }
}
