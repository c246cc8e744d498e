import RPC
import Testing
import Wire

/// Faults in gRPC's own layer, and streams that end out of order.
@Suite(.timeLimit(.minutes(5)))
struct MessageAttackTests {
    /// What a client sends on stream 1, and the statuses of gRPC that it may get.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let codes: [Int]

        init(_ name: String, _ bytes: [UInt8], _ codes: Int...) {
            testDescription = name
            self.bytes = bytes
            self.codes = codes
        }
    }

    private static func unary(
        _ data: [UInt8], _ more: [HPACK.Field] = []
    ) -> [UInt8] {
        Frame.headers(1, HPACK.request("/test.Echo/Unary", more))
            + Frame.data(1, data, Frame.endStream)
    }

    static let faults = [
        Fault("a message longer than anything", unary(Frame.prefixed([1], length: .max)), 8),
        Fault("a message above its type's limit", unary(Frame.prefixed([1], length: 17 << 20)), 8),
        Fault("the compressed flag on plain bytes", unary(Frame.prefixed([1], flag: 1)), 12, 13),
        Fault("an unknown flag", unary(Frame.prefixed([1], flag: 0x80)), 12, 13),
        Fault(
            "an encoding that nobody knows", unary(Frame.prefixed([1]), [("grpc-encoding", "x")]),
            12),
        Fault("an end within a prefix", unary([0, 0, 0]), 13),
        Fault("an end within a message", unary(Frame.prefixed([1, 2], length: 3)), 13),
        Fault("no message", unary([]), 3, 13, 12),
        Fault("two messages", unary(Frame.prefixed([1]) + Frame.prefixed([2])), 0, 3, 12, 13),
        Fault("a timeout of nothing", unary(Frame.prefixed([1]), [("grpc-timeout", "0n")]), 4),
        Fault(
            "a timeout that is none", unary(Frame.prefixed([1]), [("grpc-timeout", "soon")]), 0,
            3, 13),
        Fault(
            "binary metadata that is not base64", unary(Frame.prefixed([1]), [("x-bin", "%%%")]),
            0, 3, 13),
        Fault(
            "metadata that is not ASCII",
            unary(Frame.prefixed([1]), [("x-bytes", "\u{E9}\u{FFFD}")]), 0, 3, 13),
    ]

    @Test(arguments: faults)
    func `a faulty call gets its status, and the connection goes on`(of fault: Fault) async throws {
        try await withServer(Echo.router) { client, _, port in
            try await RawClient.connected(to: port) { raw in
                // The same bytes as a client that can read the answer sends them.
                _ = try await raw.call("/test.Echo/Unary", [1])
            }
            try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                await socket.send(fault.bytes)
                let seen = try await socket.until { seen in
                    seen.isClosed
                        || seen.frames.contains {
                            $0.stream == 1 && $0.flags & 1 == 1 && $0.type < 2
                        }
                        || seen.first(Frame.Kind.reset, on: 1) != nil
                }
                #expect(!seen.isClosed)
                let block = seen.frames.last { $0.type == Frame.Kind.headers && $0.stream == 1 }
                let text = try #require(block).payload
                #expect(Self.code(in: text).map(fault.codes.contains) ?? true, "\(text)")
                try await ConformanceTests.isServed(socket)
            }
            let answer = try await client.unary(Echo.unary, Bytes([9]))
            #expect(answer == Bytes([9]))
        }
    }

    /// The number after a literal `grpc-status`, where the block holds it in plain text.
    private static func code(in block: [UInt8]) -> Int? {
        let name = Array("grpc-status".utf8)
        guard let start = block.indices.first(where: { block[$0...].starts(with: name) }) else {
            return nil
        }
        let value = start + name.count
        guard value < block.count else { return nil }
        let count = Int(block[value] & 0x7F)
        return Int(String(decoding: block[(value + 1)...].prefix(count), as: UTF8.self))
    }

    @Test func `streams end in any order around a GOAWAY`() async throws {
        try await withServer(ConformanceTests.router) { client, _, port in
            try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                await socket.send(
                    Frame.headers(1, HPACK.request("/test.Echo/Hold"))
                        + Frame.call(3, "/test.Echo/Hold") + Frame.goAway(last: 0, 0)
                        + Frame.reset(1) + Frame.windowUpdate(3, 10) + Frame.reset(3)
                        + Frame.reset(3) + Frame.data(1, [1]))
                // Nothing is open any more, and the client has said goodbye.
                try await socket.untilClosed()
            }
            try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                await socket.send(
                    Frame.headers(1, HPACK.request("/test.Echo/Hold"))
                        + Frame.goAway(last: 0, 0) + Frame.call(3, "/test.Echo/None"))
                try await socket.until { $0.first(Frame.Kind.headers, on: 3) != nil || $0.isClosed }
            }
            let answer = try await client.unary(Echo.unary, Bytes([9]))
            #expect(answer == Bytes([9]))
        }
    }

    @Test func `a drain ends streams that go on after the server's GOAWAY`() async throws {
        let begun = Gate()
        var router = Router()
        router.bidirectional(Echo.chat) { requests, responses, _ in
            begun.open()
            for try await request in requests { try await responses.write(request) }
        }
        let server = Server(ServerConfiguration(), router: router)
        try await running(server) { port in
            try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                await socket.send(Frame.headers(1, HPACK.request("/test.Echo/Chat")))
                await begun.wait()
                server.drain()
                try await socket.until { $0.goAway != nil }
                await socket.send(
                    Frame.data(1, Frame.prefixed([5]))
                        + Frame(
                            Frame.Kind.ping, Frame.acknowledged, on: 0, [1, 0, 0, 0, 0, 0, 0, 0]
                        )
                        .bytes)
                try await socket.until { $0.first(Frame.Kind.data, on: 1) != nil }
                await socket.send(Frame.reset(1) + Frame.call(3))
                try await socket.untilClosed()
            }
        }
    }
}
