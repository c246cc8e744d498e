import RPC
import TLS
import TestKit
import Testing
import Wire

/// What is tried beneath HTTP/2, in the records of TLS.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct TLSAttackTests {
    /// Certificates of a server, and who trusts them.
    struct Sides: Sendable {
        private let files: Certificates
        let server: TLSSettings
        let client: TLSSettings

        init() throws {
            files = try Certificates()
            server = try files.settings("server", authority: nil)
            client = try files.settings(nil, authority: "authority")
        }

        func context() throws -> TLSContext { try TLSContext(.client, client) }
    }

    @Test func `new keys without end cost the connection`() async throws {
        let sides = try Sides()
        let attack = Attack("KeyUpdate", tls: sides)
        try await attack.run(ConformanceTests.router) { port in
            try await RawSocket.connected(to: port, tls: sides.context()) { socket in
                await socket.begin()
                try await socket.until { $0.first(Frame.Kind.settings) != nil }
                var updates = 0
                while updates < 20_000, !socket.seen.isClosed, await socket.updateKeys() {
                    updates += 1
                }
                try await socket.untilClosed()
                #expect(updates < 20_000)
                return updates * 27
            }
        }
    }

    /// Bytes that a client sends first instead of a handshake.
    struct Opening: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        var testDescription: String { name }

        static func record(_ type: UInt8, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
            let length = length ?? body.count
            return [type, 3, 1, UInt8(length >> 8), UInt8(length & 255)] + body
        }

        /// A ClientHello of 16 MiB, of which the first 16 KiB come.
        private static let endless =
            [UInt8]([1, 255, 255, 255, 3, 3])
            + [UInt8](repeating: 7, count: 16_000)

        static let all = [
            Opening(name: "plain HTTP/2", bytes: Frame.preface + Frame.settings()),
            Opening(name: "plain HTTP/1.1", bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8)),
            Opening(name: "noise", bytes: (0..<4000).map { UInt8(truncatingIfNeeded: $0 * 167) }),
            Opening(name: "application data", bytes: record(23, [UInt8](repeating: 0, count: 99))),
            Opening(name: "a ClientHello of nothing", bytes: record(22, [1, 0, 0, 0])),
            Opening(name: "a ClientHello of 16 MiB", bytes: record(22, endless)),
            Opening(name: "a ServerHello", bytes: record(22, [2, 0, 0, 2, 3, 3])),
            Opening(name: "a record beyond its limit", bytes: record(22, [], length: 65_535)),
            Opening(
                name: "records of nothing",
                bytes: [[UInt8]](repeating: record(22, []), count: 4000).flatMap { $0 }),
            Opening(
                name: "warnings",
                bytes: [[UInt8]](repeating: record(21, [1, 90]), count: 4000).flatMap { $0 }),
            Opening(name: "a fatal alert", bytes: record(21, [2, 40])),
        ]
    }

    @Test(arguments: Opening.all)
    func `what is no handshake ends the connection`(_ opening: Opening) async throws {
        let attack = Attack(opening.name, tls: try Sides())
        try await attack.run(ConformanceTests.router) { port in
            for _ in 0..<20 {
                try await RawSocket.connected(to: port) { socket in
                    await socket.send(opening.bytes)
                    try await socket.untilClosed()
                }
            }
            return 20 * opening.bytes.count
        }
    }

    @Test func `handshakes that are never finished are cut off`() async throws {
        var configuration = ServerConfiguration()
        configuration.handshakeTimeout = .milliseconds(500)
        let attack = Attack("half a handshake", configuration, tls: try Sides())
        try await attack.run(ConformanceTests.router) { port in
            try await withThrowingDiscardingTaskGroup { group in
                for number in 0..<30 {
                    group.addTask {
                        try await RawSocket.connected(to: port) { socket in
                            // Half of them go on, a byte at a time.
                            await socket.send(Opening.record(22, [1, 0, 0], length: 300))
                            while number % 2 == 0, !socket.seen.isClosed {
                                await socket.send([0])
                                try await Task.sleep(for: .milliseconds(50))
                            }
                            try await socket.untilClosed()
                        }
                    }
                }
            }
            return 0
        }
    }

    @Test func `a record that was changed on its way ends the connection`() async throws {
        let sides = try Sides()
        try await Attack("changed records", tls: sides).run(ConformanceTests.router) { port in
            for number in 0..<20 as Range<UInt8> {
                try await RawSocket.connected(to: port, tls: sides.context()) { socket in
                    await socket.begin()
                    try await socket.until { $0.first(Frame.Kind.settings) != nil }
                    // As if on the wire: past the handler that seals.
                    await socket.sendBeneathTLS(
                        Opening.record(23, [UInt8](repeating: number, count: 60)))
                    let seen = try await socket.untilClosed()
                    #expect(seen.first(Frame.Kind.headers) == nil)
                }
            }
            return 20 * 65
        }
    }
}
