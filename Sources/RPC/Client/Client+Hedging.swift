import Synchronization

/// The attempts of one hedged call.
final class HedgedAttempts: Sendable {
    private let calls = Mutex<(open: [ClientCall], ending: Status?)>(([], nil))

    /// Takes an attempt in; it ends at once where all have ended.
    func add(_ call: ClientCall) {
        let ending = calls.withLock { calls in
            calls.open.append(call)
            return calls.ending
        }
        if let ending { call.end(ending) }
    }

    /// The servers that have or had an attempt.
    var endpoints: [ClientEndpoint] {
        calls.withLock { $0.open }.compactMap { call in call.state.withLock { $0.endpoint } }
    }

    /// Ends all attempts but one, and all that might follow.
    func end(_ status: Status, besides winner: ClientCall? = nil) {
        let calls = calls.withLock { calls in
            calls.ending = status
            return calls.open
        }
        for call in calls where call !== winner { call.end(status) }
    }
}

/// What one of the tasks of a hedged call has to tell.
private enum News {
    case answered(ClientCall)
    /// Whether the throttle has counted it as one of a connection's.
    case failed(Status, RetryPushback?, isCounted: Bool)
    /// It is time for the next attempt, whether one failed or not.
    case due
    /// It is time for the next attempt after one that failed, as its service asked.
    case dueAfterFailure
}

/// What is known of a hedged call while no attempt is answered, and what follows from news.
private struct HedgedRace {
    enum Step {
        case begin
        /// Begins an attempt, and the delay to the next.
        case beginAndWait
        case pause(Duration)
        case nothing
        case over
    }

    let policy: HedgingPolicy
    var begun = 0
    /// Attempts without an end, and pauses that an attempt may follow.
    var running = 0
    /// Whether no service and no throttle has forbidden further attempts.
    var isAllowed = true
    var last = Status(.internal, "no attempt was made")

    var mayBegin: Bool { isAllowed && begun < policy.attempts }

    /// - Parameters:
    ///   - isWithinLimits: takes an attempt from the client's budget; false where it has none.
    ///   - noteFailure: counts a failure; false where the throttle forbids repetitions.
    mutating func step(
        after news: News, isWithinLimits: () -> Bool, noteFailure: (_ isCounted: Bool) -> Bool
    ) -> Step {
        switch news {
        case .answered: return .nothing
        case .due: return mayBegin && isWithinLimits() ? .beginAndWait : .nothing
        case .dueAfterFailure: running -= 1
        case .failed(let status, let pushback, let isCounted):
            running -= 1
            last = status
            guard policy.nonFatalCodes.contains(status.code) else { return .over }
            isAllowed = noteFailure(isCounted) && pushback != .never && isAllowed
            if case .after(let pause) = pushback, mayBegin {
                running += 1
                return .pause(pause)
            }
        }
        if mayBegin, isWithinLimits() { return .begin }
        return running == 0 ? .over : .nothing
    }
}

extension Client {
    /// Makes a call several times; the first answer is handed to `body`.
    func hedged<Result>(
        _ plan: ClientCall.Plan, _ policy: HedgingPolicy, _ request: [UInt8],
        _ body: (ClientCall) async throws -> Result
    ) async throws -> Result {
        plan.counters.countStart()
        let attempts = HedgedAttempts()
        return try await withTaskCancellationHandler {
            let (winner, status) = await race(plan, policy, request, attempts)
            guard let winner else {
                core.report(plan, status, Peer(address: "none"))
                throw status
            }
            defer {
                winner.end(Status(.cancelled, "the caller needed no more answers"))
                let (ending, peer) = winner.state.withLock { ($0.ending ?? .ok, $0.peer) }
                core.report(plan, ending, peer)
            }
            do {
                return try await body(winner)
            } catch {
                let status = Status(describing: error)
                if error is CancellationError || error is Status { throw status }
                throw error
            }
        } onCancel: {
            attempts.end(Status(.cancelled, "the caller's task was cancelled"))
        }
    }

    /// Starts attempts until one is answered or none can be any more.
    private func race(
        _ plan: ClientCall.Plan, _ policy: HedgingPolicy, _ request: [UInt8],
        _ attempts: HedgedAttempts
    ) async -> (winner: ClientCall?, Status) {
        await withTaskGroup(of: News.self) { group in
            var race = HedgedRace(policy: policy, isAllowed: !plan.answersRetry)
            func begin() {
                let call = attempt(race.begun, of: plan, attempts)
                race.begun += 1
                race.running += 1
                group.addTask { await Self.answer(to: request, of: call) }
            }
            func later(_ pause: Duration, _ news: News) {
                group.addTask {
                    // Who is cancelled meanwhile is not asked any more.
                    try? await Task.sleep(for: pause)
                    return news
                }
            }
            let delay = delay(policy, plan)
            begin()
            later(delay, .due)
            defer { group.cancelAll() }
            while let news = await group.next() {
                if case .answered(let call) = news {
                    attempts.end(Status(.cancelled, "another attempt was answered"), besides: call)
                    note(plan, policy, .now - call.plan.begun)
                    return (call, .ok)
                }
                let step = race.step(after: news) {
                    core.retries.mayRepeat && core.takeRepetition()
                } noteFailure: { isCounted in
                    isCounted ? core.retries.mayRepeat : core.retries.failed()
                }
                switch step {
                case .begin: begin()
                case .beginAndWait:
                    begin()
                    later(delay, .due)
                case .pause(let pause): later(pause, .dueAfterFailure)
                case .nothing: break
                case .over:
                    attempts.end(race.last)
                    return (nil, race.last)
                }
            }
            return (nil, race.last)
        }
    }

    private func attempt(
        _ number: Int, of plan: ClientCall.Plan, _ attempts: HedgedAttempts
    ) -> ClientCall {
        var plan = plan
        plan.role = .hedge(previous: number)
        if number > 0 { plan.begun = .now }
        let call = ClientCall(plan, core: core)
        let others = attempts.endpoints
        attempts.add(call)
        core.start(call, avoiding: others)
        return call
    }

    /// Sends the request, and waits for the answer to begin.
    private static func answer(to request: [UInt8], of call: ClientCall) async -> News {
        do {
            try await call.write(request)
            call.finishWriting()
        } catch {
            let status = Status(describing: error)
            call.end(status)
            return failure(of: call, status)
        }
        guard let status = await call.answerBegins() else { return .answered(call) }
        return failure(of: call, status)
    }

    private static func failure(of call: ClientCall, _ status: Status) -> News {
        let isCounted = call.state.withLock { $0.isCounted }
        return .failed(status, call.trailers.retryPushback, isCounted: isCounted)
    }

    // MARK: The delay

    private func delay(_ policy: HedgingPolicy, _ plan: ClientCall.Plan) -> Duration {
        switch policy.delay {
        case .fixed(let delay): return delay
        case .percentile95(let first, let least):
            let known = plan.policy.latencies.withLock { $0[plan.path]?.percentile(0.95) }
            return known.map { max($0, least) } ?? first
        }
    }

    private func note(_ plan: ClientCall.Plan, _ policy: HedgingPolicy, _ duration: Duration) {
        guard case .percentile95 = policy.delay else { return }
        plan.policy.latencies.withLock {
            $0[plan.path, default: LatencyHistogram()].note(duration)
        }
    }
}
