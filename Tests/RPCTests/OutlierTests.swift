import RPC
import Synchronization
import Testing
import Wire

/// Servers that fail more than others, or all the time.
@Suite(.timeLimit(.minutes(5)))
struct OutlierTests {
    private let now = ContinuousClock.now

    private func records(_ counts: [(successes: Int, failures: Int)]) -> [OutlierRecord] {
        counts.map { count in
            var record = OutlierRecord()
            record.successes = count.successes
            record.failures = count.failures
            return record
        }
    }

    private func ejected(_ records: [OutlierRecord]) -> [Int] {
        records.indices.filter { records[$0].ejectedAt != nil }
    }

    @Test func `who succeeds far less than the others is left out`() {
        let detection = OutlierDetection()
        // The mean is 0.9, the deviation 0.2: below 0.52 is too far.
        var bad = records([(100, 0), (100, 0), (100, 0), (100, 0), (50, 50)])
        detection.sweep(&bad, at: now)
        #expect(ejected(bad) == [4])
        var fair = records([(100, 0), (98, 2), (97, 3), (99, 1), (95, 5)])
        detection.sweep(&fair, at: now)
        // The mean is 0.978, the deviation 0.017: below 0.945 is too far.
        #expect(ejected(fair).isEmpty)
    }

    @Test func `few calls or few servers prove nothing`() {
        let detection = OutlierDetection()
        var few = records([(100, 0), (100, 0), (100, 0), (100, 0), (20, 29)])
        detection.sweep(&few, at: now)
        #expect(ejected(few).isEmpty)
        var small = records([(100, 0), (100, 0), (100, 0), (0, 100)])
        detection.sweep(&small, at: now)
        #expect(ejected(small).isEmpty)
    }

    @Test func `who fails nearly always is left out, and never more than the limit at once`() {
        var detection = OutlierDetection()
        detection.successRate = nil
        var many = records(
            Array(repeating: (50, 0), count: 17) + Array(repeating: (5, 45), count: 3))
        detection.sweep(&many, at: now)
        // Ten percent of twenty.
        #expect(ejected(many).count == 2)
        var allBad = records(Array(repeating: (0, 60), count: 5))
        detection.sweep(&allBad, at: now)
        #expect(ejected(allBad).count == 1)
        var edge = records(Array(repeating: (15, 85), count: 5))
        detection.sweep(&edge, at: now)
        #expect(ejected(edge).isEmpty)
    }

    @Test func `each time in a row it lasts longer, until a bound`() throws {
        var detection = OutlierDetection()
        detection.maximumEjectionTime = .seconds(80)
        var all = records(Array(repeating: (60, 0), count: 4) + [(0, 60)])
        var time = now
        for (round, seconds) in [(1, 30), (2, 60), (3, 80)] {
            all[4].failures = 60
            detection.sweep(&all, at: time)
            #expect(all[4].ejectedAt == time)
            #expect(all[4].timesEjected == round)
            all[4].failures = 0
            detection.sweep(&all, at: time + .seconds(seconds - 1))
            #expect(all[4].ejectedAt != nil)
            time += .seconds(seconds)
            detection.sweep(&all, at: time)
            #expect(all[4].ejectedAt == nil)
        }
        // Every interval that it is well counts against the times before.
        detection.sweep(&all, at: time)
        #expect(all[4].timesEjected == 2)
    }

    // MARK: In a client

    /// A server that fails as long as it is told to, and one that does not.
    private func withPair(
        _ configuration: ClientConfiguration,
        _ body: @escaping @Sendable (Client, _ isBad: Flag, _ calls: [Counter]) async throws -> Void
    ) async throws {
        let (isBad, calls) = (Flag(), [Counter(), Counter()])
        var router = Router()
        router.unary(Echo.unary) { _, _ in
            calls[0].add()
            if isBad.isSet { throw Status(.internal, "broken") }
            return Bytes([0])
        }
        let servers = [router, named(1, calls[1])]
            .map { Server(ServerConfiguration(), router: $0) }
        try await running(servers) { ports in
            let client = Client(local(ports), configuration)
            try await running(client) {
                try await client.untilReady(2)
                try await body(client, isBad, calls)
            }
        }
    }

    final class Flag: Sendable {
        private let value = Atomic(true)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func clear() { value.store(false, ordering: .relaxed) }
    }

    private func failed(_ client: Client) async -> Bool {
        await status { _ = try await client.unary(Echo.unary, Bytes([])) } != .ok
    }

    @Test func `an outlier gets no calls until its time is over`() async throws {
        var configuration = ClientConfiguration()
        configuration.balancing = .roundRobin
        configuration.circuitBreaker.failuresInRow = nil
        configuration.outlierDetection?.successRate = nil
        configuration.outlierDetection?.failurePercentage?.leastServers = 2
        configuration.outlierDetection?.failurePercentage?.leastCalls = 10
        // Only the test's own ticks end an interval.
        configuration.outlierDetection?.interval = .seconds(3600)
        try await withPair(configuration) { client, isBad, calls in
            client.core.tick(at: .now)
            for _ in 0..<40 { _ = await failed(client) }
            client.core.tick(at: .now + .seconds(4000))
            #expect(client.servers.count { $0.isEjected } == 1)
            let before = calls[0].value
            for _ in 0..<40 { await expectEqual(failed(client), false) }
            #expect(calls[0].value == before)
            isBad.clear()
            client.core.tick(at: .now + .seconds(8000))
            #expect(client.servers.count { $0.isEjected } == 0)
            while calls[0].value == before { await expectEqual(failed(client), false) }
        }
    }

    @Test func `failures in a row open a circuit, and a success closes it`() async throws {
        var configuration = ClientConfiguration()
        configuration.circuitBreaker.failuresInRow = 3
        configuration.circuitBreaker.openTime = .seconds(3600)
        try await withPair(configuration) { client, isBad, calls in
            while !client.servers.contains(where: { $0.circuit == .open }) {
                _ = await failed(client)
            }
            #expect(calls[0].value >= 3)
            let before = calls[0].value
            for _ in 0..<50 { await expectEqual(failed(client), false) }
            #expect(calls[0].value == before)
            // Half open, it gets one call; that fails, and it is open again.
            client.core.tick(at: .now + .seconds(4000))
            #expect(client.servers.contains { $0.circuit == .halfOpen })
            while !(await failed(client)) {}
            try await until { client.servers.contains { $0.circuit == .open } }
            for _ in 0..<50 { await expectEqual(failed(client), false) }
            #expect(calls[0].value == before + 1)
            // Well again, its one call closes the circuit.
            isBad.clear()
            client.core.tick(at: .now + .seconds(8000))
            while client.servers.contains(where: { $0.circuit != .closed }) {
                await expectEqual(failed(client), false)
            }
        }
    }

    @Test func `the last server keeps its calls, whatever it does`() async throws {
        let count = Counter()
        var configuration = ClientConfiguration()
        configuration.circuitBreaker.failuresInRow = 1
        configuration.circuitBreaker.openTime = .seconds(3600)
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            count.add()
            throw Status(.internal, "broken")
        }
        try await withServer(router, client: configuration) { client, _, _ in
            for _ in 0..<20 {
                let own = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
                #expect(own == Status(.internal, "broken"))
            }
            #expect(count.value == 20)
            #expect(client.servers.map(\.circuit) == [.open])
        }
    }

    @Test func `beyond a server's most calls, others wait, then are refused`() async throws {
        let (begun, release) = (Counter(), Gate())
        var configuration = ClientConfiguration()
        configuration.circuitBreaker.maximumCalls = 1
        configuration.maximumWaitingCalls = 1
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.add()
            await release.wait()
            return request
        }
        try await withServer(router, client: configuration) { client, _, _ in
            try await client.untilReady(1)
            async let first = client.unary(Echo.unary, Bytes([1]))
            try await until { begun.value == 1 }
            async let second = client.unary(Echo.unary, Bytes([2]))
            try await until { client.waitingCalls == 1 }
            let third = await status { _ = try await client.unary(Echo.unary, Bytes([3])) }
            #expect(third.code == .resourceExhausted)
            #expect(third.message.contains("maximumWaitingCalls"))
            #expect(begun.value == 1)
            release.open()
            try await expectEqual(first, Bytes([1]))
            try await expectEqual(second, Bytes([2]))
        }
    }
}
