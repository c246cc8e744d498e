import Synchronization
import Wire

/// How an attempt of a call came to nothing.
enum AttemptFailure {
    /// No server has acted on it.
    case unseen
    /// The connection was lost; the first of its calls to say so counts for the throttle.
    case lost(isFirst: Bool)
    /// The server said so, and whether it wants another attempt.
    case answered(RetryPushback?)
}

extension ClientCall.Plan {
    /// What a call of the client's own is made with, that no caller waits for.
    static func watch<Request, Response>(_ method: Method<Request, Response>) -> Self {
        var plan = ClientCall.Plan(
            path: method.path, kind: method.kind,
            policy: PolicyTable.Policy(CallPolicy(repetition: .none)), isIdempotent: false,
            waitsForReady: false, metadata: Metadata(), deadline: nil,
            limit: MessageLimit(
                type: Response.wireName, bytes: Response.maximumBytes, option: "no option",
                optionBytes: nil),
            counters: method.counters, begun: .now)
        plan.role = .watch
        return plan
    }

    /// Whether it is made beside or after another attempt of the same call.
    var isRepetition: Bool {
        if case .hedge(let previous) = role { previous > 0 } else { false }
    }

    /// How the call may be repeated after a server has seen it; nil of not at all.
    var retry: RetryPolicy? {
        guard !answersRetry, let retry = policy.retry, isIdempotent || retry.includesOthers else {
            return nil
        }
        return retry
    }

    /// What the caller sends along, and what the service must know of the attempts before.
    ///
    /// - Parameter attempts: those that a server may have seen, this one included.
    func metadata(attempts: Int) -> Metadata {
        let previous =
            if case .hedge(let previous) = role { previous } else { attempts - 1 }
        guard previous > 0 || answersRetry else { return metadata }
        return metadata.marked(previousAttempts: previous, isRepetition: true)
    }
}

extension ClientCall {
    /// An attempt ended without an answer of the service's own, or one that may be tried again.
    ///
    /// - Parameter endpoint: the server that had it.
    func attemptFailed(_ status: Status, _ failure: AttemptFailure, at endpoint: ClientEndpoint?) {
        switch (plan.role, failure) {
        case (.watch, _): end(status)
        case (_, .unseen):
            guard let pauses = state.withLock({ $0.repeatUnseen() }) else { return end(status) }
            again(
                after: pauses == 0 ? .zero : pause(core.configuration.backoff, pauses), nil, status)
        case (_, .lost(let isFirst)):
            // A connection takes all its calls along; that is one failure, not as many.
            let isAllowed = isFirst ? core.retries.failed() : core.retries.mayRepeat
            state.withLock { $0.isCounted = true }
            tryAgain(status, isAllowed: isAllowed, isCounted: isFirst, nil, endpoint)
        case (_, .answered(let pushback)):
            guard let retry = plan.retry else { return end(status) }
            guard retry.allows(status.code, pushback) || pushback == .never else {
                return end(status)
            }
            let isAllowed = core.retries.failed() && pushback != .never
            tryAgain(status, isAllowed: isAllowed, isCounted: true, pushback, endpoint)
        }
    }

    private func tryAgain(
        _ status: Status, isAllowed: Bool, isCounted: Bool, _ pushback: RetryPushback?,
        _ endpoint: ClientEndpoint?
    ) {
        guard isAllowed, let retry = plan.retry, retry.allows(status.code, pushback),
            state.withLock({ $0.mayRepeatSeen(maximum: retry.attempts) }),
            !isCounted || core.takeRepetition(),
            let failures = state.withLock({ $0.repeatSeen(maximum: retry.attempts) })
        else { return end(status) }
        if case .after(let pause) = pushback {
            again(after: pause, endpoint, status)
        } else {
            again(after: pause(retry.backoff, failures), endpoint, status)
        }
    }

    private func again(after pause: Duration, _ avoided: ClientEndpoint?, _ status: Status) {
        core.startAgain(self, after: pause, avoiding: avoided.map { [$0] } ?? [], status)
    }

    private func pause(_ backoff: Backoff, _ failures: Int) -> Duration {
        var random = SystemRandomNumberGenerator()
        return backoff.delay(afterFailures: failures, using: &random)
    }

    /// The service ended the call with a status of its own.
    func received(
        _ status: Status, trailers: Metadata, wasAnswered: Bool, at endpoint: ClientEndpoint?
    ) {
        state.withLock { $0.trailers = trailers }
        if status.code == .ok {
            core.retries.succeeded()
        } else if !wasAnswered, plan.retry != nil {
            return attemptFailed(status, .answered(trailers.retryPushback), at: endpoint)
        }
        end(status, keepsMessages: true)
    }

    /// Waits until the service has begun to answer, or the call has ended; nil of the former.
    func answerBegins() async -> Status? {
        while true {
            let (isAnswered, ending) = state.withLock { ($0.headers != nil, $0.ending) }
            if isAnswered || ending?.code == .ok { return nil }
            if let ending { return ending }
            await sleep {
                $0.headers == nil && $0.ending == nil
            } add: {
                $0.inbound.readers.add($1)
            }
            if Task.isCancelled { end(Status(.cancelled, "the caller's task was cancelled")) }
        }
    }
}
