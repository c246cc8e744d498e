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
        try await withServer(ConformanceTests.router) { client, _, port in
            _ = try await client.unary(Echo.unary, Bytes([0]))
            let before = Toll.now
            let isOver = Gate()
            async let served = Self.keepCalling(client, until: isOver)
            let (sent, seen) = try await RawSocket.connected(to: port) { socket in
                await socket.begin()
                // The server's larger frames are allowed from now on.
                try await socket.until { $0.first(Frame.Kind.settings) != nil }
                await socket.send(Frame.settingsAcknowledged)
                let sent = await Self.send(flood, to: socket)
                if case .sentAway = flood.end { try await socket.untilClosed() }
                if case .borne = flood.end { try await Self.isAlive(socket) }
                return (sent, socket.seen)
            }
            isOver.open()
            let answers = try await served
            let after = Toll.now
            #expect(answers > 0)
            if case .sentAway = flood.end {
                let code = try #require(seen.goAway?.errorCode)
                #expect([0x1, 0x2, 0x6, 0xB].contains(code), "GOAWAY with code \(code)")
            }
            Self.judge(flood.name, sent, before, after)
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

    /// Another client's calls, one after the other; how many were answered.
    static func keepCalling(_ client: Client, until isOver: Gate) async throws -> Int {
        var count = 0
        while !isOver.isOpen || count == 0 {
            let answer = try await client.unary(Echo.unary, Bytes([7]))
            #expect(answer == Bytes([7]))
            count += 1
            try await Task.sleep(for: .milliseconds(2))
        }
        return count
    }

    /// What the attack cost this process, its own sending and the other client's calls included.
    static func judge(_ name: String, _ sent: Int, _ before: Toll, _ after: Toll) {
        let seconds = after.cpuSeconds - before.cpuSeconds
        let grown = after.residentBytes - before.residentBytes
        if unsafe getenv("HONE_ATTACK_TABLE") != nil {
            print("ATTACK | \(name) | \(sent >> 10) | \(Int(seconds * 1000)) | \(grown >> 10) |")
        }
        guard !Toll.isSanitized else { return }
        // An order of magnitude above what a slow machine needs for as many honest bytes.
        #expect(seconds < 5 + Double(sent) / 1e6, "\(seconds) s for \(sent) bytes")
        #expect(grown < 96 << 20, "\(grown) bytes more")
    }
}
