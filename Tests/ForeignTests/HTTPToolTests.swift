import FoundationEssentials
import RPC
import Testing
import Wire

/// curl and h2load against our server.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct HTTPToolTests {
    static let curl = "/usr/bin/curl"
    static let h2load = "/usr/bin/h2load"

    /// A file with one message in gRPC's framing.
    private func frame(_ message: [UInt8]) throws -> URL {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "hone-frame-\(UUID().uuidString)")
        let length = bigEndian(message.count)
        try Data([0] + length + message).write(to: file)
        return file
    }

    private func bigEndian(_ count: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
    }

    @Test(.enabled(if: Tool.exists(curl), "curl is not there"))
    func `curl sees message and trailers`() async throws {
        let file = try frame(Array("hello".utf8))
        defer { try? FileManager.default.removeItem(at: file) }
        try await Echo.serving { port in
            let output = try await Tool.runAside(
                Self.curl, "--silent", "--show-error", "--http2-prior-knowledge", "--include",
                "--header", "content-type: application/grpc", "--header", "te: trailers",
                "--data-binary", "@\(file.path)", "http://127.0.0.1:\(port)/test.Echo/Unary")
            #expect(output.contains("HTTP/2 200"))
            #expect(output.contains("content-type: application/grpc+hone"))
            #expect(output.contains("hello"))
            #expect(output.contains("grpc-status: 0"))
        }
    }

    @Test(.enabled(if: Tool.exists(curl), "curl is not there"))
    func `curl is told what is wrong with a request`() async throws {
        try await Echo.serving { port in
            let plain = try await Tool.runAside(
                Self.curl, "--silent", "--http2-prior-knowledge", "--include",
                "http://127.0.0.1:\(port)/test.Echo/Unary")
            #expect(plain.contains("HTTP/2 415"))
            let missing = try await Tool.runAside(
                Self.curl, "--silent", "--http2-prior-knowledge", "--include", "--header",
                "content-type: application/grpc", "--data-binary", "",
                "http://127.0.0.1:\(port)/test.Echo/Missing")
            #expect(missing.contains("grpc-status: 12"))
        }
    }

    @Test(.enabled(if: Tool.exists(h2load), "h2load is not there (nghttp2-client)"))
    func `h2load gets every answer`() async throws {
        let file = try frame([UInt8](repeating: 7, count: 100))
        defer { try? FileManager.default.removeItem(at: file) }
        try await Echo.serving { port in
            let output = try await Tool.runAside(
                Self.h2load, "-n", "5000", "-c", "2", "-m", "16", "-H",
                "content-type: application/grpc", "-H", "te: trailers", "-d", file.path,
                "http://127.0.0.1:\(port)/test.Echo/Unary")
            #expect(output.contains("5000 succeeded, 0 failed, 0 errored, 0 timeout"))
        }
    }
}
