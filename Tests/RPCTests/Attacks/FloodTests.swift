import Glibc
import RPC
import Synchronization
import Testing
import Wire

/// Floods over a socket: the flooder is sent away or costs little, and others are served.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct FloodTests {
    @Test(arguments: Flood.all)
    func `a flood is contained while other clients are served`(of flood: Flood) async throws {
        try await Self.contain(flood)
    }

    @Test(arguments: Flood.all.filter { flood in Self.alsoWithTLS.contains(flood.name) })
    func `a flood over TLS is contained, too`(of flood: Flood) async throws {
        try await Self.contain(flood, TLSAttackTests.Sides())
    }

    private static let alsoWithTLS = [
        "PING", "empty DATA", "DATA of one byte", "rapid reset of calls that have begun",
        "header bombs",
    ]

    private static func contain(_ flood: Flood, _ sides: TLSAttackTests.Sides? = nil) async throws {
        let attack = Attack(flood.name + (sides == nil ? "" : " (TLS)"), tls: sides)
        try await attack.run(ConformanceTests.router) { port in
            let context = try sides?.context()
            let (sent, seen) = try await RawSocket.connected(to: port, tls: context) { socket in
                await socket.begin()
                // The server's larger frames are allowed from now on.
                try await socket.until { $0.first(Frame.Kind.settings) != nil }
                await socket.send(Frame.settingsAcknowledged)
                let sent = await Self.send(flood, to: socket)
                if case .sentAway = flood.end { try await socket.untilClosed() }
                if case .borne = flood.end { try await Self.isAlive(socket) }
                return (sent, socket.seen)
            }
            if case .sentAway = flood.end {
                let code = try #require(seen.goAway?.errorCode)
                #expect([0x1, 0x2, 0x6, 0xB].contains(code), "GOAWAY with code \(code)")
            }
            return sent
        }
    }

    /// Sends in portions of about 16 KiB, until the server has closed; how many bytes.
    private static func send(_ flood: Flood, to socket: RawSocket) async -> Int {
        var sent = 0
        var portion = flood.opening
        for round in 0..<flood.rounds {
            portion += flood.round(round)
            guard portion.count >= 16 << 10 || round == flood.rounds - 1 else { continue }
            guard !socket.seen.isClosed, await socket.send(portion) else { break }
            sent += portion.count
            portion.removeAll(keepingCapacity: true)
        }
        return sent
    }

    private static func isAlive(_ socket: RawSocket) async throws {
        let answer = Frame(Frame.Kind.ping, Frame.acknowledged, on: 0, [0, 0, 0, 0, 0, 0, 0, 5])
        await socket.send(Frame.ping(5))
        try await socket.until { $0.frames.contains(answer) }
    }
}
