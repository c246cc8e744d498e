import RPC
import Synchronization
import Testing
import Wire

/// Calls that are made several times at once.
@Suite(.timeLimit(.minutes(5)))
struct HedgingTests {
    private func hedging(
        _ attempts: Int, _ delay: HedgingPolicy.Delay, observer: (any CallObserver)? = nil
    ) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.observer = observer
        configuration.policies.services["test.Echo"] = CallPolicy(
            repetition: .hedge(HedgingPolicy(attempts: attempts, delay: delay)))
        return configuration
    }

    private final class Observer: CallObserver {
        let summaries = Mutex<[CallSummary]>([])
        func callEnded(_ summary: CallSummary) { summaries.withLock { $0.append(summary) } }
    }

    /// Two routers whose first call of all hangs until it is cancelled.
    private func hanging(_ count: Counter, _ names: Names, _ cancelled: Gate) -> [Router] {
        [UInt8(1), 2].map { name in
            var router = Router()
            router.unary(Echo.repeatable) { _, context in
                names.value.withLock { $0.append(name) }
                count.add()
                if context.metadata.previousAttempts == 0 {
                    await Gate().wait()
                    if Task.isCancelled { cancelled.open() }
                }
                return Bytes([name])
            }
            return router
        }
    }

    private final class Names: Sendable {
        let value = Mutex<[UInt8]>([])
    }

    @Test func `the first answer wins, and the others are cancelled`() async throws {
        let (count, names, cancelled, observer) = (Counter(), Names(), Gate(), Observer())
        let servers = hanging(count, names, cancelled)
            .map { Server(ServerConfiguration(), router: $0) }
        let configuration = hedging(2, .fixed(.milliseconds(5)), observer: observer)
        try await running(servers) { ports in
            let client = Client(local(ports), configuration)
            try await running(client) {
                try await client.untilReady(2)
                let answer = try await client.unary(Echo.repeatable, Bytes([]))
                // The second attempt went to the other server.
                let order = names.value.withLock { $0 }
                #expect(Set(order).count == 2)
                #expect(answer == Bytes([order[1]]))
                await cancelled.wait()
                #expect(count.value == 2)
                // The observer hears of one call.
                #expect(observer.summaries.withLock { $0.map(\.status.code) } == [.ok])
            }
        }
    }

    @Test func `a failure that is not fatal starts the next attempt at once`() async throws {
        let count = Counter()
        let router = PolicyTests.failing(2, .unavailable, count)
        let configuration = hedging(4, .fixed(.seconds(3600)))
        try await withServer(router, client: configuration) { client, _, _ in
            try await expectEqual(client.unary(Echo.repeatable, Bytes([])), Bytes([2]))
            #expect(count.value == 3)
        }
    }

    @Test func `a fatal failure ends the call`() async throws {
        let count = Counter()
        let router = PolicyTests.failing(2, .invalidArgument, count)
        let configuration = hedging(4, .fixed(.seconds(3600)))
        try await withServer(router, client: configuration) { client, _, _ in
            let failure = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(failure == Status(.invalidArgument, "attempt 1"))
            #expect(count.value == 1)
        }
    }

    @Test func `the last failure is told where all attempts fail`() async throws {
        let count = Counter()
        let router = PolicyTests.failing(100, .unavailable, count)
        let configuration = hedging(3, .fixed(.seconds(3600)))
        try await withServer(router, client: configuration) { client, _, _ in
            let failure = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(failure == Status(.unavailable, "attempt 3"))
        }
    }

    @Test func `what is not idempotent is not hedged`() async throws {
        let count = Counter()
        let router = PolicyTests.failing(100, .unavailable, count)
        let configuration = hedging(3, .fixed(.zero))
        try await withServer(router, client: configuration) { client, _, _ in
            _ = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(count.value == 1)
        }
    }

    @Test func `a service may forbid further attempts`() async throws {
        let count = Counter()
        var trailers = Metadata()
        trailers.setRetryPushback(.never)
        let router = PolicyTests.failing(100, .unavailable, count, trailers: trailers)
        let configuration = hedging(3, .fixed(.seconds(3600)))
        try await withServer(router, client: configuration) { client, _, _ in
            let failure = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(failure == Status(.unavailable, "attempt 1"))
        }
    }

    @Test func `a stream of answers is hedged until it begins`() async throws {
        let stream = Method<Bytes, Bytes>(
            service: "test.Echo", name: "Stream", kind: .serverStreaming, idempotent: true)
        var router = Router()
        router.serverStreaming(stream) { request, responses, context in
            if context.metadata.previousAttempts == 0 { await Gate().wait() }
            for byte in request.bytes { try await responses.write(Bytes([byte])) }
        }
        let configuration = hedging(2, .fixed(.milliseconds(5)))
        try await withServer(router, client: configuration) { client, _, _ in
            let sum = try await client.serverStreaming(stream, Bytes([1, 2, 3])) { answers in
                var all: [UInt8] = []
                for try await answer in answers { all += answer.bytes }
                return all
            }
            #expect(sum == [1, 2, 3])
        }
    }

    @Test func `a cancelled caller cancels every attempt`() async throws {
        let (begun, ended) = (Counter(), Counter())
        var router = Router()
        router.unary(Echo.repeatable) { request, _ in
            begun.add()
            await Gate().wait()
            ended.add()
            return request
        }
        let configuration = hedging(3, .fixed(.milliseconds(1)))
        try await withServer(router, client: configuration) { client, _, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let status = await status {
                        _ = try await client.unary(Echo.repeatable, Bytes([]))
                    }
                    #expect(status.code == .cancelled)
                }
                try await until { begun.value == 3 }
                group.cancelAll()
                try await group.waitForAll()
            }
            try await until { ended.value == 3 }
        }
    }

    @Test func `the ninety-fifth percentile of recent answers is known`() throws {
        var histogram = LatencyHistogram()
        for milliseconds in 1...19 { histogram.note(.milliseconds(milliseconds)) }
        #expect(histogram.percentile(0.95) == nil)
        for milliseconds in 20...100 { histogram.note(.milliseconds(milliseconds)) }
        let slow = try #require(histogram.percentile(0.95))
        // Steps are a quarter of an octave wide.
        #expect(slow >= .milliseconds(95) && slow <= .milliseconds(119))
        // What is recent weighs more.
        for _ in 0..<5000 { histogram.note(.milliseconds(2)) }
        #expect(try #require(histogram.percentile(0.95)) <= .microseconds(2500))
        for duration in [Duration.zero, .seconds(100_000_000), .seconds(-1)] {
            histogram.note(duration)
        }
    }

    @Test func `the delay follows what the method's answers take`() async throws {
        var router = Router()
        let isSlow = Atomic(false)
        router.unary(Echo.repeatable) { request, context in
            if isSlow.load(ordering: .relaxed), context.metadata.previousAttempts == 0 {
                await Gate().wait()
            }
            return request
        }
        // At first no second attempt would come within the test's time.
        let configuration = hedging(2, .percentile95(first: .seconds(3600)))
        try await withServer(router, client: configuration) { client, _, _ in
            for _ in 0..<40 { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            isSlow.store(true, ordering: .relaxed)
            try await expectEqual(client.unary(Echo.repeatable, Bytes([9])), Bytes([9]))
        }
    }
}
