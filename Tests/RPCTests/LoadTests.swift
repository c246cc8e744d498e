import RPC
import Testing
import Wire

/// What a server does with more calls than it can answer.
@Suite(.timeLimit(.minutes(5)))
struct LoadTests {
    /// A handler that waits, and counts how many wait with it.
    private final class Slow: Sendable {
        let release = Gate()
        let begun = Counter()

        var router: Router {
            var router = Router()
            router.unary(Echo.unary) { request, _ in
                self.begun.add()
                await self.release.wait()
                return request
            }
            router.unary(Echo.repeatable) { request, _ in request }
            return router
        }
    }

    private func limited(_ calls: Int, queue: Int = 0) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.load.maximumConcurrentCalls = calls
        configuration.load.maximumQueuedCalls = queue
        return configuration
    }

    private func until(_ counter: Counter, is count: Int) async throws {
        while counter.value < count { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func `a call too many is refused with a time to come back, a health check is not`()
        async throws
    {
        let slow = Slow()
        try await running(Server(limited(2), router: slow.router)) { port in
            try await RawClient.connected(to: port) { client in
                var open: [Int32] = []
                for _ in 0..<2 { open.append(try await client.call("/test.Echo/Unary", [1])) }
                try await until(slow.begun, is: 2)
                let refused = try await client.call("/test.Echo/Repeatable", [2])
                try await expectEqual(client.status(of: refused), "8")
                let answer = try #require(client.answers[refused]?.trailers)
                #expect(answer["grpc-message"]?.contains("2 calls") == true)
                let pause = try #require(answer["grpc-retry-pushback-ms"].flatMap { Int($0) })
                #expect((1...10_000).contains(pause))
                for _ in 0..<20 {
                    let check = try await client.call("/grpc.health.v1.Health/Check", [])
                    try await expectEqual(client.status(of: check), "0")
                }
                slow.release.open()
                for stream in open { try await expectEqual(client.status(of: stream), "0") }
                let later = try await client.call("/test.Echo/Repeatable", [3])
                try await expectEqual(client.status(of: later), "0")
            }
        }
    }

    @Test func `a call may wait for its turn, and stops waiting with its caller`() async throws {
        let slow = Slow()
        try await withServer(slow.router, limited(1, queue: 1)) { client, _, _ in
            async let first = client.unary(Echo.unary, Bytes([1]))
            try await self.until(slow.begun, is: 1)
            // The one that waits leaves its place when it is cancelled.
            for _ in 0..<3 {
                let status = await status {
                    _ = try await client.unary(
                        Echo.unary, Bytes([2]),
                        options: CallOptions(deadline: .milliseconds(30)))
                }
                #expect(status.code == .deadlineExceeded)
            }
            async let second = {
                // The third may have taken the place first.
                while true {
                    do {
                        return try await client.unary(Echo.unary, Bytes([3]))
                    } catch let status as Status where status.code == .resourceExhausted {
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
            }()
            var third = Status.ok
            while third.code != .resourceExhausted {
                // Until the second one waits, this one may, and is cancelled by its deadline.
                third = await status {
                    _ = try await client.unary(
                        Echo.unary, Bytes([4]),
                        options: CallOptions(deadline: .milliseconds(30)))
                }
            }
            #expect(slow.begun.value == 1)
            slow.release.open()
            let answers = try await [first, second]
            #expect(answers == [Bytes([1]), Bytes([3])])
        }
    }

    @Test func `what may be shed is refused first`() async throws {
        let slow = Slow()
        var configuration = limited(4)
        configuration.load.sheddableShare = 0.5
        configuration.load.priorities["/test.Echo/Repeatable"] = .sheddable
        try await withServer(slow.router, configuration) { client, _, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for count in 1...3 {
                    group.addTask { _ = try await client.unary(Echo.unary, Bytes([1])) }
                    try await self.until(slow.begun, is: count)
                    let byTable = await status {
                        _ = try await client.unary(Echo.repeatable, Bytes([2]))
                    }
                    #expect(byTable.code == (count < 2 ? .ok : .resourceExhausted))
                    guard count >= 2 else { continue }
                    let byMetadata = await status {
                        _ = try await client.unary(
                            Echo.unary, Bytes([3]),
                            options: CallOptions(metadata: ["hone-priority": "sheddable"]))
                    }
                    #expect(byMetadata.code == .resourceExhausted)
                }
                slow.release.open()
                try await group.waitForAll()
            }
        }
    }

    @Test func `an overloaded server answers what it takes, and every health check`() async throws {
        let (running, most, finished) = (Counter(), Counter(), Counter())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            running.add()
            while most.value < running.value { most.add() }
            try await Task.sleep(for: .milliseconds(2))
            running.add(-1)
            finished.add()
            return request
        }
        try await withServer(router, limited(4, queue: 4)) { client, _, _ in
            let (answered, refused) = (Counter(), Counter())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        for _ in 0..<10 {
                            do {
                                try await expectEqual(
                                    client.unary(Echo.unary, Bytes([7])), Bytes([7]))
                                answered.add()
                            } catch let status as Status {
                                #expect(status.code == .resourceExhausted)
                                refused.add()
                            }
                        }
                    }
                }
                for _ in 0..<50 { try await expectEqual(client.health(), .serving) }
                try await group.waitForAll()
            }
            #expect(answered.value + refused.value == 640)
            #expect(answered.value == finished.value)
            #expect(refused.value > 0)
            #expect(most.value <= 4)
        }
    }
}

/// The rules alone, without calls.
@Suite struct AdmissionStateTests {
    private func state(
        _ change: (inout LoadLimits) -> Void
    ) -> AdmissionState {
        var limits = LoadLimits()
        change(&limits)
        return AdmissionState(limits, methods: 2)
    }

    @Test func `a call whose deadline would pass in the queue is refused at once`() {
        var state = state {
            $0.maximumConcurrentCalls = 2
            $0.maximumQueuedCalls = 10
        }
        #expect(state.admit(.normal, secondsLeft: nil) == .run)
        state.ended(seconds: 1, method: nil)
        for _ in 0..<2 { #expect(state.admit(.normal, secondsLeft: 0.01) == .run) }
        // Two places of a second each: half a second for the next, a second for the one after.
        #expect(state.admit(.normal, secondsLeft: 0.6) == .wait(0))
        guard case .refuse(let refusal) = state.admit(.normal, secondsLeft: 0.6) else {
            Issue.record("it was let in")
            return
        }
        #expect(refusal.reason == .tooLate(expectedSeconds: 1))
        #expect(refusal.pushback == .seconds(1))
        #expect(state.admit(.normal, secondsLeft: 1.1) == .wait(1))
        #expect(state.admit(.normal, secondsLeft: nil) == .wait(2))
        #expect(state.running == 2 && state.waiting == 3)
        state.ended(seconds: 1, method: nil)
        #expect(state.running == 2)
    }

    @Test func `the adaptive limit falls while calls are slow and rises while they are not`() {
        var state = state { $0.adaptive = AdaptiveLimit() }
        func load(_ seconds: Double, _ count: Int) -> Int {
            for _ in 0..<count {
                while case .run = state.admit(.normal, secondsLeft: nil) {}
                state.ended(seconds: seconds, method: 0)
            }
            return state.limit
        }
        #expect(state.limit == 64)
        let quick = load(0.01, 320)
        #expect(quick > 64)
        let slow = load(0.1, 640)
        #expect(slow < 32)
        let recovered = load(0.01, 640)
        #expect(recovered > slow)
        #expect(load(10, 3200) >= 8)
    }

    @Test func `a limit nobody reaches does not grow`() {
        var limit = GradientLimit(AdaptiveLimit())
        for _ in 0..<1000 { limit.note(ratio: 1, running: 3) }
        #expect(limit.value == 64)
        for _ in 0..<100_000 { limit.note(ratio: 1, running: 10_000) }
        #expect(limit.value == 4096)
    }

    @Test func `the time without load stays near the quick calls`() {
        var time = UnloadedTime()
        #expect(time.ratio(of: 0.01) == 1)
        for _ in 0..<100 { _ = time.ratio(of: 0.1) }
        #expect(time.ratio(of: 0.1) > 3)
        for _ in 0..<30 { _ = time.ratio(of: 0.005) }
        #expect(time.ratio(of: 0.01) > 1.8)
    }
}
