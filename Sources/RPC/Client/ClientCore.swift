package import NIOCore
import NIOPosix
import Synchronization

/// What a client's calls and its connections share: who is ready, and who waits.
package final class ClientCore: Sendable {
    let configuration: ClientConfiguration
    let policies: PolicyTable
    let retries: RetryControl
    let kept: KeptRequests
    /// Carries every connection of the client.
    let loop: any EventLoop
    let executor: LoopExecutor
    private let deadlines: DeadlineTimer
    private let state: Mutex<State>
    /// How many calls wait; changes under the lock, and is read without it.
    private let waitingCount = Atomic<Int>(0)
    /// How many calls are open; kept for consistent hashing alone.
    private let openCount = Atomic<Int>(0)
    private let countsOpen: Bool

    /// - Parameter loop: nil takes one of the process's.
    package init(
        _ target: Target, _ configuration: ClientConfiguration, loop: (any EventLoop)? = nil
    ) {
        _ = LargeBlocks.areKept
        self.configuration = configuration
        policies = PolicyTable(configuration)
        retries = RetryControl(configuration)
        kept = KeptRequests(
            perCall: configuration.keptRequestBytesPerCall, limit: configuration.keptRequestBytes)
        let loop = loop ?? MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        executor = LoopExecutor(loop)
        deadlines = DeadlineTimer(loop)
        if case .consistent = configuration.balancing {
            countsOpen = true
        } else {
            countsOpen = false
        }
        state = Mutex(State(target, configuration))
    }

    package var keepalive: Keepalive { state.withLock { $0.keepalive } }
    var target: Target { state.withLock { $0.target } }

    /// Changes what is known of servers, and tells those who watch the client's state.
    func change<Result>(_ body: (inout State) -> Result) -> Result {
        state.withLock { state in
            defer {
                waitingCount.store(state.waiting.count, ordering: .sequentiallyConsistent)
                state.announce()
            }
            return body(&state)
        }
    }

    func look<Result>(_ body: (borrowing State) -> Result) -> Result {
        state.withLock { body($0) }
    }

    // MARK: Calls

    /// Gives a call to a connection, or lets it wait for one, or ends it.
    ///
    /// - Parameter avoided: servers to choose only where there is no other.
    func start(_ call: ClientCall, avoiding avoided: [ClientEndpoint] = []) {
        if case .whole = call.plan.role { call.plan.counters.countStart() }
        if let deadline = call.plan.deadline {
            guard deadline > .now else { return call.deadlineReached() }
            deadlines.insert(call, at: deadline)
        }
        place(call, avoiding: avoided, isRepetition: call.plan.isRepetition)
    }

    /// Starts a call on this connection and no other.
    func start(_ call: ClientCall, on connection: ClientConnection) {
        connection.reserve()
        connection.start(call)
    }

    /// Starts another attempt after a pause; ends the call where its deadline comes first.
    func startAgain(
        _ call: ClientCall, after pause: Duration, avoiding avoided: [ClientEndpoint],
        _ status: Status
    ) {
        guard pause > .zero else {
            return place(call, avoiding: avoided, isRepetition: true)
        }
        if let deadline = call.plan.deadline, deadline <= .now + pause { return call.end(status) }
        loop.scheduleTask(in: .init(pause)) {
            if !call.isEnded { self.place(call, avoiding: avoided, isRepetition: true) }
        }
    }

    private func place(
        _ call: ClientCall, avoiding avoided: [ClientEndpoint], isRepetition: Bool
    ) {
        let placement: State.Placement = state.withLock { state in
            guard state.phase != .stopped else {
                return .refused(Status(.unavailable, "the client has stopped"))
            }
            // What the budget for repetitions is a share of.
            if !isRepetition { state.callsBegun &+= 1 }
            if state.waiting.count == 0,
                let connection = state.pick(call.plan.affinity, avoided, openCount)
            {
                return .on(connection)
            }
            defer {
                waitingCount.store(state.waiting.count, ordering: .sequentiallyConsistent)
            }
            return state.wait(call, configuration)
        }
        switch placement {
        case .on(let connection): connection.start(call)
        case .refused(let status): call.end(status)
        case .waits:
            // It may have ended before it was seen to wait, or room may have come free.
            if call.isEnded { forget(call) }
            placeWaiting()
        }
    }

    /// Gives those who wait to connections, in the order they came, as far as there is room; asks
    /// for further connections where there is not enough.
    private func placeWaiting() {
        let (placed, requests) = state.withLock { state in
            var placed: [(ClientCall, ClientConnection)] = []
            while let call = state.waiting.first(),
                let connection = state.pick(call.plan.affinity, [], openCount)
            {
                state.waiting.remove(call)
                placed.append((call, connection))
            }
            waitingCount.store(state.waiting.count, ordering: .sequentiallyConsistent)
            return (placed, state.waiting.count > 0 ? state.requestConnections() : [])
        }
        for request in requests { request.yield() }
        for (call, connection) in placed { connection.start(call) }
    }

    func roomWasTaken() {
        if countsOpen { openCount.add(1, ordering: .relaxed) }
    }

    /// A call has left its connection.
    func roomCameFree() {
        if countsOpen { openCount.subtract(1, ordering: .relaxed) }
        if waitingCount.load(ordering: .sequentiallyConsistent) > 0 { placeWaiting() }
    }

    /// A call has ended for good.
    func ended(_ call: ClientCall) {
        if call.plan.deadline != nil { deadlines.remove(call) }
        if waitingCount.load(ordering: .sequentiallyConsistent) > 0 { forget(call) }
        guard case .whole = call.plan.role else { return }
        let (status, peer) = call.state.withLock { ($0.ending ?? .ok, $0.peer) }
        report(call.plan, status, peer)
    }

    /// Counts a call's end, and tells the observer.
    func report(_ plan: ClientCall.Plan, _ status: Status, _ peer: Peer) {
        let duration = ContinuousClock.now - plan.begun
        plan.counters.countEnd(status.code, after: duration)
        configuration.observer?.callEnded(
            CallSummary(method: plan.path, peer: peer, status: status, duration: duration))
    }

    private func forget(_ call: ClientCall) {
        state.withLock { state in
            guard state.waiting.remove(call) else { return }
            waitingCount.store(state.waiting.count, ordering: .sequentiallyConsistent)
        }
    }

    /// Whether another attempt of a failed call is within the budget.
    func takeRepetition() -> Bool {
        let calls = state.withLock { $0.callsBegun }
        return retries.take(at: .now, calls: calls)
    }

    // MARK: Life

    /// False where the client has run before.
    package func begin() -> Bool {
        change { state in
            guard state.phase == .idle else { return false }
            state.phase = .running
            return true
        }
    }

    /// From now on the servers are those of another target.
    func update(_ target: Target) {
        let resolve = change { state in
            state.target = target
            return state.resolveNow
        }
        resolve?.yield()
    }

    func stop() {
        let (calls, connections) = change { state in
            state.phase = .stopped
            return (state.waiting.takeAll(), Array(state.open.values))
        }
        // Not under the lock: the end of a stream takes it, too.
        for watcher in look({ Array($0.watchers.values) }) { watcher.finish() }
        for connection in connections { connection.close() }
        for call in calls { call.end(Status(.unavailable, "the client has stopped")) }
    }

    /// What has to be done once a second.
    package func tick(at now: ContinuousClock.Instant) {
        let (idle, calls) = change { state in
            state.halfOpenCircuits(configuration.circuitBreaker, now)
            if let detection = configuration.outlierDetection { state.sweep(detection, now) }
            return (state.takeIdleConnections(now), state.callsBegun)
        }
        retries.observe(at: now, calls: calls)
        for connection in idle { connection.retire() }
        if waitingCount.load(ordering: .sequentiallyConsistent) > 0 { placeWaiting() }
    }

    // MARK: Servers

    /// The addresses of the target are these; the stays that begin, to be connected to.
    ///
    /// - Parameters:
    ///   - failure: why some name could not be resolved.
    ///   - isComplete: false where some names have not been resolved yet: then nobody loses hope,
    ///     and no server its place.
    package func resolved(
        _ addresses: [Address], failure: Status? = nil, isComplete: Bool = true
    ) -> [Stay] {
        let (new, retired, failed) = change { state in
            let new = state.add(addresses)
            let (retired, failed) =
                isComplete ? state.resolved(addresses, failure) : ([], [])
            return (new, retired, failed)
        }
        for connection in retired { connection.retire() }
        for (call, status) in failed { call.end(status) }
        return new
    }

    package func isWanted(_ stay: Stay) -> Bool {
        look { $0.phase == .running && $0.servers[stay.address]?.stay == stay }
    }

    func opened(_ connection: ClientConnection) {
        let isStopped = change { state in
            state.open[ObjectIdentifier(connection)] = connection
            return state.phase == .stopped
        }
        connection.closeFuture.whenComplete { _ in
            self.change { $0.open[ObjectIdentifier(connection)] = nil }
        }
        if isStopped { connection.close() }
    }

    /// A connection can carry calls.
    ///
    /// - Parameter isServing: whether the server is known to be well; nil as it was before.
    func ready(_ connection: ClientConnection, _ stay: Stay, isServing: Bool?) {
        let isWanted = change { $0.ready(connection, stay, isServing) }
        if !isWanted { connection.retire() }
        placeWaiting()
    }

    func unusable(_ connection: ClientConnection, _ stay: Stay, _ status: Status) {
        change { $0.unusable(connection, stay, status) }
    }

    /// A server cannot be reached, or says that it does not serve.
    func failed(_ stay: Stay, _ status: Status, isHealth: Bool = false) {
        let failed = change { $0.failed(stay, status, isHealth: isHealth) }
        for (call, status) in failed { call.end(status) }
    }

    /// A server that is connected says that it serves.
    func serves(_ stay: Stay) {
        change { $0.serves(stay) }
        placeWaiting()
    }

    func failedInRow(_ endpoint: ClientEndpoint, _ count: Int) {
        guard let limit = configuration.circuitBreaker.failuresInRow, count >= limit else {
            return
        }
        change { $0.setCircuit(of: endpoint.stay, .open(since: .now)) }
    }

    func recovered(_ endpoint: ClientEndpoint) {
        change { $0.setCircuit(of: endpoint.stay, .closed) }
    }

    func connectivity() -> AsyncStream<Connectivity> {
        let (states, continuation) = AsyncStream.makeStream(
            of: Connectivity.self, bufferingPolicy: .bufferingNewest(16))
        let number = state.withLock { $0.watch(continuation) }
        continuation.onTermination = { _ in
            self.state.withLock { $0.watchers[number] = nil }
        }
        return states
    }

    func snapshot() -> [ServerSnapshot] { look { $0.snapshot() } }
}
