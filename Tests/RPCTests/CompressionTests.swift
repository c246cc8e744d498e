import Gzip
import RPC
import Testing

/// Messages that are compressed on their way.
@Suite(.timeLimit(.minutes(5)))
struct CompressionTests {
    private static let text = Bytes([UInt8](repeating: 0x61, count: 100_000))

    private var compressing: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.compression = .gzip
        return configuration
    }

    @Test func `all kinds of calls give the same, and take fewer bytes both ways`() async throws {
        try await withServer(Echo.router, compressing) { client, server, _ in
            let options = CallOptions(compression: .gzip)
            let answer = try await client.unary(Echo.unary, Self.text, options: options)
            #expect(answer == Self.text)
            let collected = try await client.clientStreaming(Echo.collect, options: options) {
                for _ in 0..<5 { try await $0.write(Self.text) }
                try await $0.write(Bytes([1]))
            }
            #expect(collected.bytes.count == 500_001)
            let count = try await client.bidirectional(Echo.chat, options: options) { writer in
                for number in 0..<50 {
                    try await writer.write(Bytes([UInt8](repeating: 7, count: number * 1000)))
                }
            } _: { answers in
                try await answers.reduce(into: 0) { $0 += $1.bytes.count }
            }
            #expect(count == 49 * 25 * 1000)
            for name in ["Unary", "Collect", "Chat"] {
                let counters = try #require(server.counters.first { $0.name == name })
                #expect(counters.received.bytes < 20_000, "\(name)")
                #expect(counters.sent.bytes < 20_000, "\(name)")
            }
        }
    }

    @Test func `a message larger than the window, compressed or not, arrives in the end`()
        async throws
    {
        var server = compressing
        server.streamWindowBytes = 64 << 10
        var random: UInt64 = 88_172_645_463_325_252
        let noise = Bytes(
            (0..<1_000_000).map { _ in
                random ^= random << 13
                random ^= random >> 7
                random ^= random << 17
                return UInt8(truncatingIfNeeded: random)
            })
        try await withServer(Echo.router, server) { client, _, _ in
            let options = CallOptions(compression: .gzip)
            let sum = try await client.bidirectional(Echo.chat, options: options) { writer in
                for _ in 0..<20 { try await writer.write(Self.text) }
                for _ in 0..<3 { try await writer.write(noise) }
                for _ in 0..<2000 { try await writer.write(Bytes([1])) }
                try await writer.write(noise)
            } _: { answers in
                try await answers.reduce(into: 0) { $0 += $1.bytes.count }
            }
            #expect(sum == 20 * 100_000 + 4 * 1_000_000 + 2000)
        }
    }

    @Test func `nothing is compressed that nobody asked for, or that is small`() async throws {
        try await withServer(Echo.router, compressing) { client, server, _ in
            let unary = try #require(server.counters.first { $0.name == "Unary" })
            _ = try await client.unary(Echo.unary, Self.text)
            #expect(unary.received.bytes == 100_005)
            #expect(unary.sent.bytes == 100_005)
            let small = Bytes([UInt8](repeating: 0x61, count: 1000))
            _ = try await client.unary(
                Echo.unary, small, options: CallOptions(compression: .gzip))
            #expect(unary.received.bytes == 101_010)
            #expect(unary.sent.bytes == 101_010)
        }
        var accepting = ClientConfiguration()
        accepting.acceptsCompression = true
        try await withServer(Echo.router, compressing, client: accepting) { client, server, _ in
            _ = try await client.unary(Echo.unary, Self.text)
            let unary = try #require(server.counters.first { $0.name == "Unary" })
            #expect(unary.received.bytes == 100_005)
            #expect(unary.sent.bytes < 1000)
        }
    }

    @Test func `compressed requests get compressed answers, unless the server is told otherwise`()
        async throws
    {
        var plain = ServerConfiguration()
        plain.mirrorsCompression = false
        for (configuration, bytes) in [
            (ServerConfiguration(), 5..<1000), (plain, 100_005..<100_006),
        ] {
            try await withServer(Echo.router, configuration) { client, server, _ in
                let unary = try #require(server.counters.first { $0.name == "Unary" })
                let options = CallOptions(compression: .gzip)
                try await expectEqual(
                    client.unary(Echo.unary, Self.text, options: options), Self.text)
                #expect(bytes.contains(unary.sent.bytes))
                let before = unary.sent.bytes
                _ = try await client.unary(Echo.unary, Self.text)
                #expect(unary.sent.bytes - before == 100_005)
            }
        }
    }

    @Test func `an unknown encoding is refused with those that are known`() async throws {
        try await withServer(Echo.router) { _, _, port in
            let answer = try await raw(port, encoding: "zstd", flag: 0, [1])
            #expect(answer["grpc-status"] == "12")
            #expect(answer["grpc-accept-encoding"] == "identity,gzip")
            #expect(answer["grpc-message"]?.contains("zstd") == true)
        }
    }

    @Test func `a bomb is refused by the size it would have`() async throws {
        let bomb = try GzipPool.shared.deflate([UInt8](repeating: 0, count: 200 << 20))
        #expect(bomb.count < 1 << 20)
        try await withServer(Echo.router) { _, _, port in
            let answer = try await raw(port, encoding: "gzip", flag: 1, bomb)
            #expect(answer["grpc-status"] == "8")
            #expect(answer["grpc-message"]?.contains("test.Bytes.maximumBytes") == true)
        }
    }

    @Test func `broken gzip, and flags nobody announced, are internal errors`() async throws {
        let whole = try GzipPool.shared.deflate(Self.text.bytes)
        var changed = whole
        changed[whole.count - 6] ^= 0x10
        let broken = changed
        try await withServer(Echo.router) { client, _, port in
            for (flag, message) in [
                (1, Array(whole.dropLast(4))), (1, broken), (1, [1, 2, 3]), (1, []),
                (1, whole + [0]), (2, whole),
            ] as [(UInt8, [UInt8])] {
                let answer = try await raw(port, encoding: "gzip", flag: flag, message)
                #expect(answer["grpc-status"] == "13")
            }
            let unannounced = try await raw(port, encoding: nil, flag: 1, whole)
            #expect(unannounced["grpc-status"] == "13")
            let plain = try await raw(port, encoding: "gzip", flag: 0, [1])
            #expect(plain["grpc-status"] == "0")
            let answer = try await client.unary(Echo.unary, Bytes([1]))
            #expect(answer.bytes == [1])
        }
    }

    /// The headers and trailers that answer one request of this message.
    private func raw(
        _ port: Int, encoding: String?, flag: UInt8, _ message: [UInt8]
    ) async throws -> [String: String] {
        var answer: [String: String] = [:]
        try await RawClient.connected(to: port) { client in
            let headers = encoding.map { [("grpc-encoding", $0)] } ?? []
            let stream = try await client.call(
                "/test.Echo/Unary", message, flag: flag, headers: headers)
            while client.answers[stream]?.isClosed == false, try await client.read() {}
            answer = client.answers[stream]?.headers ?? [:]
        }
        return answer
    }
}
