import Glibc
import RPC
import Testing
import Wire

/// An attack on a server beside a client that goes on calling: what it costs, and whom.
struct Attack: Sendable {
    let name: String
    var configuration = ServerConfiguration()
    var tls: TLSAttackTests.Sides?
    /// Bytes that the process may grow by.
    var memoryBound = 16 << 20

    init(
        _ name: String, _ configuration: ServerConfiguration = ServerConfiguration(),
        tls: TLSAttackTests.Sides? = nil
    ) {
        self.name = name
        self.configuration = configuration
        self.tls = tls
    }

    /// What became of the other client's calls.
    private struct Served {
        var answers = 0
        var slowest = Duration.zero
    }

    /// Starts a server, attacks it, and judges what that cost.
    ///
    /// - Parameter body: gets the server's port; how many bytes the attacker sent.
    func run(
        _ router: Router, _ body: @escaping @Sendable (Int) async throws -> Int
    ) async throws {
        var configuration = configuration
        configuration.tls = tls?.server
        let client = ClientConfiguration(tls: tls?.client)
        try await withServer(router, configuration, client: client) { client, _, port in
            _ = try await client.unary(Echo.unary, Bytes([0]))
            let begun = ContinuousClock.now
            let before = Toll.now
            let isOver = Gate()
            async let calls = Self.keepCalling(client, until: isOver)
            let sent = try await body(port)
            let after = Toll.now
            isOver.open()
            let served = try await calls
            judge(sent, served, .now - begun, before, after)
        }
    }

    /// Another client's calls, one after the other, which must be answered in time.
    private static func keepCalling(_ client: Client, until isOver: Gate) async throws -> Served {
        var served = Served()
        let options = CallOptions(deadline: .seconds(Toll.isSanitized ? 60 : 5))
        while !isOver.isOpen || served.answers == 0 {
            let begun = ContinuousClock.now
            let answer = try await client.unary(Echo.unary, Bytes([7]), options: options)
            #expect(answer == Bytes([7]))
            served.answers += 1
            served.slowest = max(served.slowest, .now - begun)
            try await Task.sleep(for: .milliseconds(2))
        }
        return served
    }

    /// What the attack cost this process, its own sending and the other client's calls included.
    private func judge(
        _ sent: Int, _ served: Served, _ elapsed: Duration, _ before: Toll, _ after: Toll
    ) {
        let seconds = after.cpuSeconds - before.cpuSeconds
        let grown = after.residentBytes - before.residentBytes
        if unsafe getenv("HONE_ATTACK_TABLE") != nil {
            let slowest = Int(served.slowest / .milliseconds(1))
            print(
                "ATTACK | \(name) | \(sent >> 10) | \(Int(seconds * 1000)) | \(grown >> 10) |",
                "\(served.answers) | \(slowest) |")
        }
        #expect(served.answers > 0)
        guard !Toll.isSanitized else { return }
        // An order of magnitude above what a slow machine needs for as many honest bytes, and for
        // the other client's calls.
        let bound = 1 + Double(sent) / 1e6 + (elapsed / .seconds(1)) * 0.5
        #expect(seconds < bound, "\(seconds) s of CPU for \(sent) bytes, \(bound) s allowed")
        #expect(grown < memoryBound, "\(grown) bytes more")
    }
}
