import Synchronization

/// Lets so many calls be answered at a time, and refuses what is too much.
///
/// Stands around the handlers of a router: a call is counted while its handler runs, even where its
/// caller has left meanwhile.
final class AdmissionControl: Sendable {
    static let priorityName = "hone-priority"

    private let limits: LoadLimits
    private let state: Mutex<AdmissionState>

    /// Nil where nothing is limited: calls pay nothing then.
    init?(_ limits: LoadLimits, _ router: Router) {
        guard limits.isLimited else { return nil }
        self.limits = limits
        state = Mutex(AdmissionState(limits, methods: router.routes.count))
    }

    /// The same routes, each waiting for its turn.
    func guarding(_ router: Router) -> Router {
        var router = router
        for (number, path) in router.paths.enumerated() {
            guard let route = router.routes[path] else { continue }
            let priority = route.priority
            guard priority != .critical else { continue }
            // How long a stream lasts is up to its caller and tells nothing of load.
            let method = route.kind == .unary ? number : nil
            router.routes[path] = Route(route) { call, context in
                try await self.enter(priority, context)
                let begun = ContinuousClock.now
                var isGood = false
                defer { self.leave(after: .now - begun, method: isGood ? method : nil) }
                try await route.body(call, context)
                isGood = true
            }
        }
        return router
    }

    /// Why a call of a route is refused before anything was done for it; nil where it is not.
    func refusal(of route: Route) -> (status: Status, trailers: Metadata)? {
        guard route.priority != .critical,
            let refusal = state.withLock({ $0.refusal(of: route.priority) })
        else { return nil }
        return (refusal.status, refusal.trailers)
    }

    private func enter(_ declared: CallPriority, _ context: CallContext) async throws {
        let isSheddable = context.metadata[Self.priorityName] == "sheddable"
        let priority = isSheddable ? .sheddable : declared
        let secondsLeft = context.deadline.map { ($0 - .now) / .seconds(1) }
        switch state.withLock({ $0.admit(priority, secondsLeft: secondsLeft) }) {
        case .run: return
        case .refuse(let refusal):
            context.setTrailers(refusal.trailers)
            throw refusal.status
        case .wait(let number): try await wait(number)
        }
    }

    private func wait(_ number: Int) async throws {
        await withTaskCancellationHandler {
            await Sleeper.sleep { sleeper in state.withLock { $0.keep(sleeper, of: number) } }
        } onCancel: {
            state.withLock { $0.giveUp(number) }?.wake()
        }
        guard state.withLock({ $0.takePlace(number) }) else { throw CancellationError() }
    }

    private func leave(after duration: Duration, method: Int?) {
        let sleepers = state.withLock {
            $0.leave(seconds: duration / .seconds(1), method: method)
        }
        for sleeper in sleepers { sleeper.wake() }
    }
}

extension AdmissionState.Refusal {
    var status: Status {
        switch reason {
        case .full(let running, let waiting):
            Status(
                .resourceExhausted,
                "the server answers \(running) calls and \(waiting) wait, which is all it takes; "
                    + "try again later")
        case .tooLate(let seconds):
            Status(
                .resourceExhausted,
                "the server is busy for \((seconds * 1000).rounded() / 1000) s, and the deadline "
                    + "would pass before the call's turn comes")
        }
    }

    /// - Source: gRPC, proposal A6, "Pushback".
    var trailers: Metadata { .retryPushback(pushback) }
}

extension Metadata {
    /// Asks the caller to try again no sooner than that.
    static func retryPushback(_ pushback: Duration) -> Metadata {
        // Not all at the same moment.
        let spread = pushback * Double.random(in: 0.8...1.2)
        var metadata = Metadata()
        metadata.setRetryPushback(.after(spread))
        return metadata
    }
}
