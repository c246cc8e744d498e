import RPC
import Synchronization
import Testing
import Wire

/// What a client does by policy: limits of time, waiting, repeating.
@Suite(.timeLimit(.minutes(5)))
struct PolicyTests {
    static let quick = Backoff(first: .milliseconds(1))

    /// A router whose calls fail so often, then answer how many attempts preceded.
    static func failing(
        _ times: Int, _ code: Status.Code, _ count: Counter, trailers: Metadata = Metadata()
    ) -> Router {
        var router = Router()
        for method in [Echo.unary, Echo.repeatable] {
            router.unary(method) { _, context in
                count.add()
                guard count.value > times else {
                    context.setTrailers(trailers)
                    throw Status(code, "attempt \(count.value)")
                }
                return Bytes([UInt8(context.metadata.previousAttempts)])
            }
        }
        return router
    }

    private func client(_ policy: CallPolicy) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.policies.others = policy
        return configuration
    }

    private func retrying(
        _ attempts: Int, _ codes: Set<Status.Code> = [.unavailable]
    ) -> ClientConfiguration {
        client(
            CallPolicy(
                repetition: .retry(
                    RetryPolicy(attempts: attempts, backoff: Self.quick, codes: codes))))
    }

    // MARK: Limits of time, waiting

    @Test func `a method's policy goes before its service's, and that before the rest`()
        async throws
    {
        var router = Router()
        for method in [Echo.unary, Echo.repeatable] {
            router.unary(method) { request, context in
                Bytes([context.deadline == nil ? 0 : 1])
            }
        }
        var configuration = ClientConfiguration()
        configuration.policies.methods[Echo.unary.path] = CallPolicy()
        configuration.policies.services["test.Echo"] = CallPolicy(timeout: .seconds(300))
        try await withServer(router, client: configuration) { client, _, _ in
            try await expectEqual(client.unary(Echo.unary, Bytes([])), Bytes([0]))
            try await expectEqual(client.unary(Echo.repeatable, Bytes([])), Bytes([1]))
        }
    }

    @Test func `a call takes no longer than its policy lets it`() async throws {
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            await Gate().wait()
            return request
        }
        let configuration = client(CallPolicy(timeout: .milliseconds(20)))
        try await withServer(router, client: configuration) { client, _, _ in
            let late = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(late.code == .deadlineExceeded)
        }
    }

    @Test func `whether a call waits for a server is the policy's, unless the caller says`() async {
        let configuration = client(CallPolicy(timeout: .milliseconds(50), waitForReady: true))
        let client = Client(.unix("/no/such/hone.sock"), configuration)
        _ = try? await running(client) {
            let waits = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(waits.code == .deadlineExceeded)
            let options = CallOptions(deadline: .seconds(300), waitForReady: false)
            let fails = await status {
                _ = try await client.unary(Echo.unary, Bytes([]), options: options)
            }
            #expect(fails.code == .unavailable)
        }
    }

    // MARK: Retries

    @Test func `a failed call is repeated for the codes of its policy`() async throws {
        let count = Counter()
        let router = Self.failing(2, .aborted, count)
        try await withServer(router, client: retrying(4, [.aborted])) { client, _, _ in
            // The service learns how many attempts preceded.
            try await expectEqual(client.unary(Echo.repeatable, Bytes([])), Bytes([2]))
        }
        let other = Counter()
        try await withServer(
            Self.failing(2, .unavailable, other), client: retrying(4, [.aborted])
        ) { client, _, _ in
            let failure = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(failure == Status(.unavailable, "attempt 1"))
        }
    }

    @Test func `no call is made more than five times`() async throws {
        let count = Counter()
        let router = Self.failing(100, .unavailable, count)
        try await withServer(router, client: retrying(50)) { client, _, _ in
            let failure = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(failure == Status(.unavailable, "attempt 5"))
        }
    }

    @Test func `what is not idempotent is repeated only where its policy says so`() async throws {
        var policy = RetryPolicy(attempts: 3, backoff: Self.quick)
        for includesOthers in [false, true] {
            policy.includesOthers = includesOthers
            let count = Counter()
            let configuration = client(CallPolicy(repetition: .retry(policy)))
            try await withServer(
                Self.failing(100, .unavailable, count), client: configuration
            ) { client, _, _ in
                _ = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            }
            #expect(count.value == (includesOthers ? 3 : 1))
        }
    }

    @Test func `an answer that has begun is never asked for again`() async throws {
        let count = Counter()
        var router = Router()
        let stream = Method<Bytes, Bytes>(
            service: "test.Echo", name: "Stream", kind: .serverStreaming, idempotent: true)
        router.serverStreaming(stream) { request, responses, _ in
            count.add()
            try await responses.write(request)
            throw Status(.unavailable, "in the middle")
        }
        try await withServer(router, client: retrying(5)) { client, _, _ in
            let failure = await status {
                try await client.serverStreaming(stream, Bytes([1])) { answers in
                    for try await _ in answers {}
                }
            }
            #expect(failure == Status(.unavailable, "in the middle"))
            #expect(count.value == 1)
        }
    }

    @Test func `a retry goes to another server where there is one`() async throws {
        let (bad, good) = (Counter(), Counter())
        var configuration = retrying(2)
        configuration.retryThrottle = nil
        configuration.circuitBreaker.failuresInRow = nil
        let servers = [
            Server(ServerConfiguration(), router: Self.failing(1_000_000, .unavailable, bad)),
            Server(ServerConfiguration(), router: named(2, good)),
        ]
        try await running(servers) { [configuration] ports in
            let client = Client(local(ports), configuration)
            try await running(client) {
                try await client.untilReady(2)
                for _ in 0..<50 {
                    try await expectEqual(client.unary(Echo.repeatable, Bytes([])), Bytes([2]))
                }
                #expect(bad.value > 0 && good.value == 50)
            }
        }
    }

    // MARK: What the service wants

    @Test func `a service may forbid another attempt`() async throws {
        let count = Counter()
        var trailers = Metadata()
        trailers.setRetryPushback(.never)
        let router = Self.failing(100, .unavailable, count, trailers: trailers)
        try await withServer(router, client: retrying(5)) { client, _, _ in
            let failure = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(failure == Status(.unavailable, "attempt 1"))
        }
    }

    @Test func `a service may say when to try again`() async throws {
        let count = Counter()
        var trailers = Metadata()
        trailers.setRetryPushback(.after(.milliseconds(3)))
        let slow = Backoff(first: .seconds(3600), maximum: .seconds(3600))
        let configuration = client(
            CallPolicy(repetition: .retry(RetryPolicy(attempts: 3, backoff: slow))))
        let router = Self.failing(2, .unavailable, count, trailers: trailers)
        try await withServer(router, client: configuration) { client, _, _ in
            try await expectEqual(client.unary(Echo.repeatable, Bytes([])), Bytes([2]))
        }
    }

    @Test func `a pause that ends after the deadline is not begun`() async throws {
        let count = Counter()
        let slow = Backoff(first: .seconds(3600), maximum: .seconds(3600))
        let configuration = client(
            CallPolicy(repetition: .retry(RetryPolicy(attempts: 3, backoff: slow))))
        try await withServer(
            Self.failing(2, .unavailable, count), client: configuration
        ) { client, _, _ in
            let failure = await status {
                _ = try await client.unary(
                    Echo.repeatable, Bytes([]), options: CallOptions(deadline: .seconds(290)))
            }
            #expect(failure == Status(.unavailable, "attempt 1"))
        }
    }

    @Test(arguments: ["-1", "x", "99999999999999999999", ""])
    func `a pushback that cannot be read means never`(text: String) {
        var metadata = Metadata()
        #expect(metadata.retryPushback == nil)
        metadata.appendReceived("grpc-retry-pushback-ms", .ascii(text))
        #expect(metadata.retryPushback == .never)
    }

    @Test(arguments: [
        (Duration.zero, Duration.zero), (.seconds(-5), .zero), (.nanoseconds(1), .milliseconds(1)),
        (.microseconds(1500), .milliseconds(2)), (.milliseconds(3), .milliseconds(3)),
        (.seconds(86_400), .seconds(86_400)), (.seconds(Int64.max), .seconds(86_400)),
    ])
    func `a pause that is asked for is never shortened, but to a day`(
        asked: Duration, read: Duration
    ) {
        var trailers = Metadata()
        trailers.setRetryPushback(.never)
        trailers.setRetryPushback(.after(asked))
        #expect(trailers.retryPushback == .after(read))
        #expect(trailers.entries.count == 1)
    }

    @Test func `a count of attempts that is passed on does not hide the call's own`() async throws {
        let count = Counter()
        var metadata = Metadata()
        metadata.appendReceived("grpc-previous-rpc-attempts", .ascii("9"))
        try await withServer(
            Self.failing(1, .unavailable, count), client: retrying(3)
        ) { [metadata] client, _, _ in
            let answer = try await client.unary(
                Echo.repeatable, Bytes([]), options: CallOptions(metadata: metadata))
            #expect(answer == Bytes([1]))
        }
    }

    @Test func `two pushbacks mean never, and no count of attempts is below 0`() {
        var metadata = Metadata()
        metadata.appendReceived("grpc-retry-pushback-ms", .ascii("1"))
        metadata.appendReceived("grpc-retry-pushback-ms", .ascii("2"))
        #expect(metadata.retryPushback == .never)
        metadata.appendReceived("grpc-previous-rpc-attempts", .ascii("\(Int.min)"))
        #expect(metadata.previousAttempts == 0)
    }

    // MARK: What limits repetitions

    @Test func `where most calls fail, none is repeated`() async throws {
        let count = Counter()
        let isWell = Atomic(false)
        var router = Router()
        router.unary(Echo.repeatable) { request, _ in
            count.add()
            if !isWell.load(ordering: .relaxed) { throw Status(.unavailable, "no") }
            return request
        }
        var configuration = retrying(5)
        configuration.retryThrottle = RetryThrottle(tokens: 10, tokensPerSuccess: 0.5)
        try await withServer(router, client: configuration) { client, _, _ in
            @Sendable func attempts() async -> Int {
                let before = count.value
                _ = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
                return count.value - before
            }
            // Ten tokens, a failure takes one, and at five it is over.
            await expectEqual(attempts(), 5)
            await expectEqual(attempts(), 1)
            await expectEqual(attempts(), 1)
            isWell.store(true, ordering: .relaxed)
            for _ in 0..<10 { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            isWell.store(false, ordering: .relaxed)
            // Three are left, and five came back.
            await expectEqual(attempts(), 3)
        }
    }

    @Test func `without a budget nothing is repeated`() async throws {
        let count = Counter()
        var configuration = retrying(5)
        configuration.retryBudget = RetryBudget(share: 0, leastPerSecond: 0)
        try await withServer(
            Self.failing(100, .unavailable, count), client: configuration
        ) { client, _, _ in
            _ = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(count.value == 1)
        }
    }

    @Test func `the budget is a share of the calls of the last ten seconds`() {
        let now = ContinuousClock.now
        var budget = BudgetWindow(RetryBudget(share: 0.2, leastPerSecond: 0))
        func take(_ second: Int, calls: Int) -> Int {
            var taken = 0
            while budget.take(at: now + .seconds(second) + .milliseconds(500), calls: calls) {
                taken += 1
            }
            return taken
        }
        #expect(take(0, calls: 100) == 20)
        #expect(take(1, calls: 150) == 10)
        for second in 2...30 { budget.observe(at: now + .seconds(second), calls: 150) }
        // Those of long ago count no more, as traffic or as repetitions.
        #expect(take(30, calls: 150) == 0)
        #expect(take(31, calls: 200) == 10)
        var least = BudgetWindow(RetryBudget(share: 0, leastPerSecond: 2))
        var taken = 0
        while least.take(at: now, calls: 0) { taken += 1 }
        #expect(taken == 20)
    }

    @Test(arguments: [true, false])
    func `a request larger than may be kept is sent once`(isByCall: Bool) async throws {
        var configuration = retrying(3)
        if isByCall {
            configuration.keptRequestBytesPerCall = 20_000
        } else {
            configuration.keptRequestBytes = 20_000
        }
        for (bytes, attempts) in [(10_000, 3), (18_000, 3), (30_000, 1)] {
            let count = Counter()
            let router = Self.failing(100, .unavailable, count)
            try await withServer(router, client: configuration) { client, _, _ in
                for _ in 0..<2 {
                    _ = await status {
                        _ = try await client.unary(Echo.repeatable, Bytes(count: bytes))
                    }
                }
            }
            // The second call finds the room that the first gave back; its throttle is its own.
            #expect(count.value >= attempts + 1)
            #expect(attempts > 1 || count.value == 2)
        }
    }

    @Test func `a service that answers a repetition does not repeat its own calls`() async throws {
        let (calls, marked) = (Counter(), Counter())
        var inner = Router()
        inner.unary(Echo.repeatable) { _, context in
            calls.add()
            if context.metadata.isRepetition { marked.add() }
            throw Status(.unavailable, "down")
        }
        try await withServer(inner, client: retrying(3)) { downstream, _, _ in
            var outer = Router()
            outer.unary(Echo.repeatable) { request, _ in
                try await downstream.unary(Echo.repeatable, request)
            }
            try await withServer(outer, client: retrying(3)) { client, _, _ in
                _ = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            }
        }
        // Three for the first attempt, one for each of the two that follow: not nine.
        #expect(calls.value == 5)
        #expect(marked.value == 4)
    }
}
