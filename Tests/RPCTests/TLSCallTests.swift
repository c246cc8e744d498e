import RPC
import TLS
import TestKit
import Testing
import Wire

/// Calls over TLS, and who is turned away.
@Suite(.timeLimit(.minutes(5)))
struct TLSCallTests {
    private func server(_ files: Certificates, mutual: Bool) throws -> ServerConfiguration {
        ServerConfiguration(
            tls: try files.settings("server", authority: mutual ? "authority" : nil))
    }

    private func client(_ files: Certificates, _ name: String?) throws -> ClientConfiguration {
        ClientConfiguration(tls: try files.settings(name, authority: "authority"))
    }

    @Test func `calls of every size pass over TLS`() async throws {
        let files = try Certificates()
        try await withServer(
            Echo.router, server(files, mutual: false), client: client(files, nil)
        ) { client, _, _ in
            for count in [0, 100, 70_000, 3 << 20] {
                let message = Bytes(count: count)
                try await expectEqual(client.unary(Echo.unary, message), message)
            }
            let count = try await client.bidirectional(Echo.chat) { writer in
                for _ in 0..<100 { try await writer.write(Bytes(count: 20_000)) }
            } _: { answers in
                try await answers.reduce(into: 0) { count, _ in count += 1 }
            }
            #expect(count == 100)
        }
    }

    @Test func `a handler learns who called`() async throws {
        let files = try Certificates()
        var router = Router()
        router.unary(Echo.unary) { _, context in Bytes(Array((context.peer.identity ?? "").utf8)) }
        try await withServer(
            router, server(files, mutual: true), client: client(files, "client")
        ) { client, _, _ in
            try await expectEqual(
                client.unary(Echo.unary, Bytes([])), Bytes(Array("CN=alice".utf8)))
        }
    }

    @Test(arguments: [nil, "stranger"])
    func `a caller without the right certificate is told so`(name: String?) async throws {
        let files = try Certificates()
        try await withServer(
            Echo.router, server(files, mutual: true), client: client(files, name)
        ) { client, _, _ in
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status.code == .unavailable)
            #expect(status.message.contains("TLS"))
            #expect(status.message.contains("alert"))
            #expect(status.message.contains(name == nil ? "asks for a cert" : "does not trust our"))
        }
    }

    @Test func `plain HTTP is no way into a TLS server, nor TLS into a plain one`() async throws {
        let files = try Certificates()
        try await withServer(Echo.router, server(files, mutual: false)) { client, _, _ in
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status.code == .unavailable)
        }
        try await withServer(Echo.router, client: client(files, nil)) { client, _, _ in
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status.code == .unavailable)
        }
    }
}
