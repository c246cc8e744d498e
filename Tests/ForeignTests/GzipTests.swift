import RPC
import TestKit
import Testing

/// gzip between gRPC's Python library and ours, either calling.
@Suite(
    .enabled(if: Tool.hasGRPC, "grpcio is not there (HONE_VENV)"), .timeLimit(.minutes(5)),
    .serialized)
struct ForeignGzipTests {
    @Test func `a grpcio client and our server compress for each other`() async throws {
        var configuration = ServerConfiguration()
        configuration.compression = .gzip
        var router = Echo.router
        let invalid = Method<Bytes, Bytes>(service: "test.Echo", name: "Invalid", kind: .unary)
        router.unary(invalid) { _, _ in
            throw Status.invalid(
                "the field is wrong", domain: "test.Echo",
                [FieldViolation("field", "is not empty")])
        }
        let server = Server(configuration, router: router)
        try await Echo.alongside({ try await server.run() }) {
            let port = try await server.listeningPort()
            let output = try await Tool.runAside(
                Tool.python, Tool.script("gzip_client.py"), "\(port)")
            #expect(output == "ok\n")
        }
        // 60 messages of up to 59,000 equal bytes, 1.8 MB in all.
        let chat = try #require(server.counters.first { $0.name == "Chat" })
        #expect(chat.received.messages == 60)
        #expect(chat.received.bytes < 100_000)
        #expect(chat.sent.bytes < 100_000)
    }

    @Test func `our client and a grpcio server compress for each other`() async throws {
        let unary = Method<Bytes, Bytes>(service: "test.Gzip", name: "Unary", kind: .unary)
        let chat = Method<Bytes, Bytes>(service: "test.Gzip", name: "Chat", kind: .bidirectional)
        let server = try ForeignServer(Tool.python, Tool.script("gzip_server.py"))
        let client = Client(.dns(host: "127.0.0.1", port: server.port))
        try await Echo.alongside({ try await client.run() }) {
            let options = CallOptions(compression: .gzip)
            let large = Bytes([UInt8](repeating: 7, count: 300_000))
            let answer = try await client.unary(unary, large, options: options)
            #expect(answer == large)
            let total = try await client.bidirectional(chat, options: options) { writer in
                for _ in 0..<50 { try await writer.write(large) }
            } _: { answers in
                try await answers.reduce(into: 0) { $0 += $1.bytes.count }
            }
            #expect(total == 50 * 300_000)
        }
        try server.stop()
        for counters in MethodCounters.ofAllClients where counters.service == "test.Gzip" {
            #expect(counters.sent.bytes < 100_000, "\(counters.name)")
            #expect(counters.received.bytes < 100_000, "\(counters.name)")
        }
    }
}
