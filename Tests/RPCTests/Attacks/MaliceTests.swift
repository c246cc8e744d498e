import RPC
import Testing
import Wire

/// A hostile server against our client.
@Suite(.timeLimit(.minutes(5)))
struct MaliceTests {
    private static var configuration: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .milliseconds(700)
        configuration.streamWindowBytes = 64 << 10
        configuration.backoff.first = .milliseconds(1)
        configuration.backoff.maximum = .milliseconds(20)
        return configuration
    }

    @Test(arguments: Malice.all)
    func `a call on a hostile server ends with a right status`(of malice: Malice) async throws {
        let before = Toll.now
        try await RawServer.serving(malice.script) { port in
            let client = Client(.dns(host: "127.0.0.1", port: port), Self.configuration)
            try await running(client) {
                let options = CallOptions(
                    deadline: malice.needsDeadline ? .milliseconds(400) : .seconds(20))
                let seen = await status {
                    _ = try await client.unary(Echo.unary, Bytes([1, 2, 3]), options: options)
                }
                #expect(malice.codes.contains(seen.code), "\(seen)")
                #expect(seen.message.utf8.count < 1000)
                // The other kinds of call end, too, whatever their status is.
                let short = CallOptions(deadline: .milliseconds(400))
                _ = await status {
                    try await client.bidirectional(Echo.chat, options: short) { writer in
                        for _ in 0..<20 { try await writer.write(Bytes(count: 10_000)) }
                    } _: { answers in
                        for try await _ in answers {}
                    }
                }
            }
        }
        guard !Toll.isSanitized else { return }
        #expect(Toll.now.residentBytes - before.residentBytes < 96 << 20)
    }

    @Test func `a client of hostile servers and a sane one is served by the sane one`() async throws
    {
        try await withServer(Echo.router) { _, _, port in
            try await RawServer.serving { socket in
                await socket.send(Frame.settings() + Frame.goAway(last: 0, 0))
                try await socket.untilClosed()
            } _: { hostile in
                let target = Target.addresses(
                    [port, hostile].map { Target.Endpoint(host: "127.0.0.1", port: $0) })
                let client = Client(target, Self.configuration)
                try await running(client) {
                    for number in 0..<200 {
                        let message = Bytes([UInt8(number)])
                        try await expectEqual(client.unary(Echo.unary, message), message)
                    }
                }
            }
        }
    }
}
