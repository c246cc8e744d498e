import NIOCore

/// Ends a connection that has grown old or idle.
///
/// ```
/// open ──age, or idle──▶ draining ──the last call ends──▶ closed
///                           └────────grace is over────────▶ closed, its calls cancelled
/// ```
/// Lives on the connection's loop. Calls pay for it by two additions.
final class ConnectionLifetime {
    enum Request {
        /// Take no new calls.
        case drain
        /// Close now.
        case end(Status)
    }

    private let loop: any EventLoop
    private let request: (Request) -> Void
    private let grace: Duration?
    private let idleLimit: Duration?
    private var ageTimer: Scheduled<Void>?
    private var idleTimer: Scheduled<Void>?
    private var openCalls = 0
    private var begunCalls = 0
    /// Since when no call was open or begun, as the idle timer has seen it.
    private var idleSince: ContinuousClock.Instant?
    private var begunWhenIdle = 0

    /// Nil where a connection may live as long as it likes.
    ///
    /// - Parameter request: called on the loop.
    init?(
        _ configuration: ServerConfiguration, loop: any EventLoop,
        request: @escaping (Request) -> Void
    ) {
        guard
            configuration.maximumConnectionAge != nil || configuration.maximumConnectionIdle != nil
        else { return nil }
        self.loop = loop
        self.request = request
        grace = configuration.connectionAgeGrace
        idleLimit = configuration.maximumConnectionIdle
        let bound = NIOLoopBound(self, eventLoop: loop)
        if let age = configuration.maximumConnectionAge {
            let actual = age * Double.random(in: 0.9...1.1)
            ageTimer = loop.scheduleTask(in: .init(actual)) { bound.value.grownOld() }
        }
        if idleLimit != nil {
            idleSince = .now
            scheduleIdle()
        }
    }

    func callBegan() {
        openCalls += 1
        begunCalls += 1
    }

    func callEnded() {
        openCalls -= 1
    }

    /// The connection is lost; nothing is to be asked any more.
    func stop() {
        ageTimer?.cancel()
        idleTimer?.cancel()
    }

    private func grownOld() {
        request(.drain)
        guard let grace else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        ageTimer = loop.scheduleTask(in: .init(grace)) {
            bound.value.request(
                .end(Status(.unavailable, "the connection has reached its maximum age")))
        }
    }

    private func scheduleIdle() {
        guard let idleLimit else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        idleTimer = loop.scheduleTask(in: .init(idleLimit / 4)) { bound.value.lookForIdleness() }
    }

    private func lookForIdleness() {
        guard let idleLimit else { return }
        let now = ContinuousClock.now
        if openCalls > 0 || begunCalls != begunWhenIdle {
            begunWhenIdle = begunCalls
            idleSince = openCalls > 0 ? nil : now
        } else if let idleSince {
            guard now - idleSince < idleLimit else { return request(.drain) }
        } else {
            idleSince = now
        }
        scheduleIdle()
    }
}
