import RPC
import Testing
import Wire

/// `grpc.health.v1.Health`, asked with protobuf by hand.
@Suite(.timeLimit(.minutes(5)))
struct HealthTests {
    static let check = Method<Bytes, Bytes>(
        service: "grpc.health.v1.Health", name: "Check", kind: .unary, idempotent: true)
    static let watch = Method<Bytes, Bytes>(
        service: "grpc.health.v1.Health", name: "Watch", kind: .serverStreaming)

    /// protobuf: field 1, a string.
    static func request(_ service: String) -> Bytes {
        Bytes(service.isEmpty ? [] : [0x0A, UInt8(service.utf8.count)] + Array(service.utf8))
    }

    @Test func `a check answers what was set`() async throws {
        try await withServer(Router()) { client, server, _ in
            try await expectEqual(client.unary(Self.check, Self.request("")), Bytes([8, 1]))
            let unknown = await status {
                _ = try await client.unary(Self.check, Self.request("hone.Data"))
            }
            #expect(unknown.code == .notFound)
            server.health.set(service: "hone.Data", .notServing)
            try await expectEqual(
                client.unary(Self.check, Self.request("hone.Data")), Bytes([8, 2]))
            server.health.set(service: "hone.Data", .serving)
            try await expectEqual(
                client.unary(Self.check, Self.request("hone.Data")), Bytes([8, 1]))
        }
    }

    @Test func `the services of the router are known by name`() async throws {
        try await withServer(Echo.router) { client, server, _ in
            try await expectEqual(client.health(of: "test.Echo"), .serving)
            server.health.hold()
            server.health.set(service: "test.Echo", .serving)
            try await expectEqual(client.health(of: "test.Echo"), .notServing)
            try await expectEqual(client.health(), .notServing)
            server.health.set(service: "test.Echo", .notServing)
            server.health.release()
            try await expectEqual(client.health(of: "test.Echo"), .notServing)
            try await expectEqual(client.health(), .serving)
            let other = await status { _ = try await client.health(of: "test.Other") }
            #expect(other.code == .notFound)
        }
    }

    @Test func `a watch hears of each change`() async throws {
        try await withServer(Router()) { client, server, _ in
            try await client.serverStreaming(Self.watch, Self.request("x")) { answers in
                var iterator = answers.makeAsyncIterator()
                try await expectEqual(iterator.next(), Bytes([8, 3]))
                server.health.set(service: "x", .serving)
                try await expectEqual(iterator.next(), Bytes([8, 1]))
                server.health.set(service: "x", .notServing)
                try await expectEqual(iterator.next(), Bytes([8, 2]))
                server.drain()
                try await expectEqual(iterator.next(), nil)
            }
        }
    }
}
