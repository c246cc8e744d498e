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
                let middle = try await call(proxies, clientTLS, calls)
                let end = Toll.now
                report(name, log.now, proxies, middle, end)
                try await judge(log, proxies, middle, end)
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

    /// Runs the callers; what the process had used after a third of the time.
    private static func call(
        _ proxies: [FaultProxy], _ tls: TLSSettings?, _ calls: SoakCalls
    ) async throws -> Toll {
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
            let begun = ContinuousClock.now
            let end = begun + .seconds(seconds)
            return await withTaskGroup(of: Void.self) { group in
                for caller in 0..<16 as Range<UInt64> {
                    group.addTask {
                        await calls.run(client, seed: seed &* 1000 &+ caller, until: end)
                    }
                }
                try? await Task.sleep(until: begun + .seconds(seconds) / 3)
                return Toll.now
            }
        }
    }

    private static func judge(
        _ log: SoakLog, _ proxies: [FaultProxy], _ middle: Toll, _ end: Toll
    ) async throws {
        let state = log.now
        #expect(state.wrongAnswers.isEmpty, "\(state.wrongAnswers.prefix(5))")
        // What a transport may come to; never, for instance, "unknown" or "data loss".
        let allowed: Set<Status.Code> = [
            .ok, .unavailable, .deadlineExceeded, .internal, .cancelled, .resourceExhausted,
        ]
        #expect(Set(state.codes.keys).isSubset(of: allowed), "\(state.codes)")
        #expect(state.codes[.ok, default: 0] > 0)
        #expect(state.latest < .seconds(Toll.isSanitized ? 60 : 20))
        // Every call was observed once; a handler whose caller is gone ends, too.
        #expect(state.observed == state.begun)
        try await StallAttackTests.wait { log.now.handlersBegun == log.now.handlersEnded }
        #expect(proxies.reduce(0) { $0 + $1.counts.count } > 0)
        guard !Toll.isSanitized else { return }
        #expect(end.residentBytes - middle.residentBytes < 48 << 20)
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
            SOAK \(name): resident KiB \(middle.residentBytes >> 10) after a third, \
            \(end.residentBytes >> 10) at the end; descriptors \(middle.descriptors), \
            \(end.descriptors); \(end.cpuSeconds - middle.cpuSeconds) CPU seconds between
            """)
    }
}
