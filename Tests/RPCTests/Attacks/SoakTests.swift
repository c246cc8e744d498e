import Glibc
import RPC
import TLS
import TestKit
import Testing
import Wire

/// Calls through proxies whose connections break in every way.
///
/// Takes a few seconds; HONE_SOAK_SECONDS=600 makes each of the two tests take ten minutes, and
/// HONE_SOAK_SEED draws other faults.
@Suite(.timeLimit(.minutes(60)), .serialized)
struct SoakTests {
    private static func number(_ name: String, or other: Int) -> Int {
        guard let text = unsafe getenv(name) else { return other }
        return Int(unsafe String(cString: text)) ?? other
    }

    private static let seconds = number("HONE_SOAK_SECONDS", or: 6)
    private static let seed = UInt64(number("HONE_SOAK_SEED", or: 1))

    @Test func `calls over broken connections end rightly and in time`() async throws {
        try await Self.soak("plain", nil, nil)
    }

    @Test func `calls over broken connections with TLS end rightly and in time`() async throws {
        let files = try Certificates()
        try await Self.soak(
            "TLS", files.settings("server", authority: nil),
            files.settings(nil, authority: "authority"))
    }

    private static func soak(
        _ name: String, _ serverTLS: TLSSettings?, _ clientTLS: TLSSettings?
    ) async throws {
        let log = SoakLog()
        let calls = SoakCalls(log: log)
        var configuration = ServerConfiguration(tls: serverTLS)
        configuration.handshakeTimeout = .seconds(2)
        configuration.keepalive = Keepalive(interval: .seconds(1), timeout: .seconds(1))
        let server = Server(configuration, router: calls.router)
        // Whatever is made once is made before counting.
        let descriptors = Toll.now.descriptors
        try await running(server) { port in
            try await through(4, to: port, garbageAnywhere: serverTLS != nil) { proxies in
                let tolls = try await call(proxies, clientTLS, calls)
                report(name, log.now, proxies, tolls[0], tolls[1])
                judge(log.now, proxies, tolls[0], tolls[1])
            }
        }
        try await StallAttackTests.wait { Toll.now.descriptors <= descriptors + 8 }
    }

    /// Nests so many proxies.
    private static func through(
        _ count: Int, to port: Int, garbageAnywhere: Bool, _ proxies: [FaultProxy] = [],
        _ body: ([FaultProxy]) async throws -> Void
    ) async throws {
        guard proxies.count < count else { return try await body(proxies) }
        try await FaultProxy.serving(
            to: port, seed: seed &* 100 &+ UInt64(proxies.count), garbageAnywhere: garbageAnywhere
        ) { proxy in
            try await through(
                count, to: port, garbageAnywhere: garbageAnywhere, proxies + [proxy], body)
        }
    }

    /// Runs the callers for a third of the time, then for the rest; what the process holds once the
    /// calls of each are over.
    private static func call(
        _ proxies: [FaultProxy], _ tls: TLSSettings?, _ calls: SoakCalls
    ) async throws -> [Toll] {
        var configuration = ClientConfiguration(tls: tls)
        configuration.keepalive = Keepalive(interval: .seconds(1), timeout: .seconds(1))
        configuration.connectTimeout = .seconds(1)
        configuration.backoff.first = .milliseconds(10)
        configuration.backoff.maximum = .milliseconds(200)
        configuration.observer = calls.log
        let client = Client(
            .addresses(proxies.map { Target.Endpoint(host: "127.0.0.1", port: $0.port) }),
            configuration)
        return try await running(client) {
            var tolls: [Toll] = []
            for (part, duration) in [Duration.seconds(seconds) / 3, .seconds(seconds) * 2 / 3]
                .enumerated()
            {
                let end = ContinuousClock.now + duration
                await withDiscardingTaskGroup { group in
                    for caller in 0..<16 as Range<UInt64> {
                        let drawn = seed &* 1000 &+ UInt64(part) &* 100 &+ caller
                        group.addTask { await calls.run(client, seed: drawn, until: end) }
                    }
                }
                // A handler whose caller is gone ends, too, and so does every connection's work.
                try await StallAttackTests.wait {
                    calls.log.now.handlersBegun == calls.log.now.handlersEnded
                }
                try await Task.sleep(for: .milliseconds(500))
                tolls.append(.now)
            }
            return tolls
        }
    }

    private static func judge(
        _ state: SoakLog.State, _ proxies: [FaultProxy], _ middle: Toll, _ end: Toll
    ) {
        #expect(state.wrongAnswers.isEmpty, "\(state.wrongAnswers.prefix(5))")
        // What a transport may come to; never, for instance, "unknown" or "data loss".
        let allowed: Set<Status.Code> = [
            .ok, .unavailable, .deadlineExceeded, .internal, .cancelled, .resourceExhausted,
        ]
        #expect(Set(state.codes.keys).isSubset(of: allowed), "\(state.codes)")
        #expect(state.codes[.ok, default: 0] > 0)
        #expect(state.latest < .seconds(Toll.isSanitized ? 60 : 20))
        #expect(state.observed == state.begun)
        #expect(proxies.reduce(0) { $0 + $1.counts.count } > 0)
        guard !Toll.isSanitized else { return }
        let grown = end.allocatedBytes - middle.allocatedBytes
        #expect(grown < 1 << 20 + noted(state), "\(grown) bytes more")
        #expect(end.residentBytes - middle.residentBytes < 24 << 20)
    }

    /// Bytes that the framework of the tests may keep: where each error was thrown, about a KiB for
    /// each call that failed, unless it is told not to.
    private static func noted(_ state: SoakLog.State) -> Int {
        let isOff = unsafe getenv("SWT_SWIFT_ERROR_BACKTRACING_ENABLED").map {
            unsafe String(cString: $0) == "0"
        }
        return isOff == true ? 0 : (state.begun - state.codes[.ok, default: 0]) * 2048
    }

    private static func report(
        _ name: String, _ state: SoakLog.State, _ proxies: [FaultProxy], _ middle: Toll, _ end: Toll
    ) {
        guard unsafe getenv("HONE_SOAK_SECONDS") != nil else { return }
        var faults: [String: Int] = [:]
        for proxy in proxies { faults.merge(proxy.counts, uniquingKeysWith: +) }
        print(
            """
            SOAK \(name): \(seconds) s, seed \(seed), \(state.begun) calls, \
            \(state.codes.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "))
            SOAK \(name): latest end \(state.latest) after its deadline, \
            \(state.handlersBegun) handlers begun, \(state.handlersEnded) ended
            SOAK \(name): connections \(faults.sorted { $0.key < $1.key })
            SOAK \(name): allocated KiB \(middle.allocatedBytes >> 10) after a third, \
            \(end.allocatedBytes >> 10) at the end; resident KiB \(middle.residentBytes >> 10), \
            \(end.residentBytes >> 10); descriptors \(middle.descriptors), \(end.descriptors); \
            \(end.cpuSeconds - middle.cpuSeconds) CPU seconds between
            """)
    }
}
