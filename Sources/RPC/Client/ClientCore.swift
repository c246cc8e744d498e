import NIOCore
import NIOPosix
import Synchronization

/// What a client's calls and its connections share: who is ready, and who waits.
package final class ClientCore: Sendable {
    /// One address of one host of the target.
    package struct Address: Hashable, Sendable {
        let host: String
        let numeric: String
        let port: Int

        package init(host: String, numeric: String, port: Int) {
            self.host = host
            self.numeric = numeric
            self.port = port
        }
    }

    /// One stay of an address in the target: an address that left and came back has another, so
    /// that whoever served the first stay, and sleeps, finds that it is over.
    package struct Stay: Hashable, Sendable {
        package let address: Address
        let number: Int
    }

    enum Phase { case idle, running, stopped }

    enum ServerState {
        case connecting
        case ready
        case failed(Status)
    }

    struct Server {
        let stay: Stay
        var state = ServerState.connecting
    }

    struct State {
        var phase = Phase.idle
        var isResolved = false
        var servers: [Address: Server] = [:]
        /// How many stays there have been.
        var stays = 0
        var ready: [(address: Address, connection: ClientConnection)] = []
        /// Every connection whose channel is open.
        var open: [ObjectIdentifier: ClientConnection] = [:]
        var waiting: [ClientCall] = []
        var failure: Status?
        var balancer: Balancer
        var keepalive: Keepalive
    }

    let target: Target
    let configuration: ClientConfiguration
    /// Carries every connection of the client.
    let loop: any EventLoop
    let executor: LoopExecutor
    private let deadlines: DeadlineTimer
    private let state: Mutex<State>

    package init(_ target: Target, _ configuration: ClientConfiguration) {
        self.target = target
        self.configuration = configuration
        loop = MultiThreadedEventLoopGroup.singleton.next()
        executor = LoopExecutor(loop)
        deadlines = DeadlineTimer(loop)
        state = Mutex(
            State(
                balancer: Balancer(configuration.balancing, seed: .random(in: .min ... .max)),
                keepalive: configuration.keepalive))
    }

    var keepalive: Keepalive { state.withLock { $0.keepalive } }

    // MARK: Calls

    /// Gives a call to a connection, or lets it wait for one, or ends it.
    func start(_ call: ClientCall) {
        call.plan.counters.countStart()
        if let deadline = call.plan.deadline {
            guard deadline > .now else { return call.deadlineReached() }
            deadlines.insert(call, at: deadline)
        }
        place(call)
    }

    /// Starts another attempt after so many failures; at once after none.
    func startAgain(_ call: ClientCall, after failures: Int) {
        guard failures > 0 else { return place(call) }
        var random = SystemRandomNumberGenerator()
        let delay = configuration.backoff.delay(afterFailures: failures, using: &random)
        loop.scheduleTask(in: .init(delay)) { self.place(call) }
    }

    private func place(_ call: ClientCall) {
        let outcome: Result<ClientConnection?, Status> = state.withLock { state in
            guard state.phase != .stopped else {
                return .failure(Status(.unavailable, "the client has stopped"))
            }
            if let connection = state.pick() { return .success(connection) }
            guard call.plan.waitsForReady || state.mayBecomeReady else {
                return .failure(state.whyUnavailable(target))
            }
            guard state.waiting.count < configuration.maximumWaitingCalls else {
                return .failure(
                    Status(
                        .resourceExhausted,
                        "\(state.waiting.count) calls already wait for a connection to \(target); "
                            + "raise ClientConfiguration.maximumWaitingCalls or call less often"))
            }
            state.waiting.append(call)
            return .success(nil)
        }
        switch outcome {
        case .success(let connection): connection?.start(call)
        case .failure(let status): call.end(status)
        }
    }

    /// A call has ended for good.
    func ended(_ call: ClientCall) {
        if call.plan.deadline != nil { deadlines.remove(call) }
        state.withLock { state in
            guard !state.waiting.isEmpty else { return }
            state.waiting.removeAll { $0 === call }
        }
        let (status, peer) = call.state.withLock { ($0.ending ?? .ok, $0.peer) }
        let duration = ContinuousClock.now - call.plan.begun
        call.plan.counters.countEnd(status.code, after: duration)
        guard let observer = configuration.observer else { return }
        observer.callEnded(
            CallSummary(method: call.plan.path, peer: peer, status: status, duration: duration))
    }

    // MARK: Connections

    /// False where the client has run before.
    package func begin() -> Bool {
        state.withLock { state in
            guard state.phase == .idle else { return false }
            state.phase = .running
            return true
        }
    }

    /// The addresses of the target are these; the stays that begin, to be connected to.
    ///
    /// - Parameter failure: why some name could not be resolved. What is known stays in use then:
    ///   a name server that is away takes no server along.
    package func resolved(_ addresses: [Address], failure: Status? = nil) -> [Stay] {
        let (new, retired, failed) = state.withLock { state in
            state.resolved(addresses, failure, target)
        }
        for connection in retired { connection.retire() }
        for (call, status) in failed { call.end(status) }
        return new
    }

    package func isWanted(_ stay: Stay) -> Bool {
        state.withLock { $0.phase == .running && $0.servers[stay.address]?.stay == stay }
    }

    func connecting(_ stay: Stay) {
        state.withLock { state in
            guard let server = state.servers[stay.address], server.stay == stay else { return }
            if case .failed = server.state { return }
            state.servers[stay.address]?.state = .connecting
        }
    }

    func opened(_ connection: ClientConnection) {
        let isStopped = state.withLock { state in
            state.open[ObjectIdentifier(connection)] = connection
            return state.phase == .stopped
        }
        connection.channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.open[ObjectIdentifier(connection)] = nil }
        }
        if isStopped { connection.close() }
    }

    func ready(_ connection: ClientConnection, _ stay: Stay) {
        let (calls, isWanted) = state.withLock { state in
            guard state.isPresent(stay) else { return ([ClientCall](), false) }
            state.servers[stay.address]?.state = .ready
            state.ready.append((stay.address, connection))
            state.failure = nil
            defer { state.waiting = [] }
            return (state.waiting, true)
        }
        for call in calls { place(call) }
        if !isWanted { connection.retire() }
    }

    func unusable(_ connection: ClientConnection, _ stay: Stay, _ status: Status) {
        state.withLock { state in
            state.ready.removeAll { $0.connection === connection }
            if state.isPresent(stay) { state.servers[stay.address]?.state = .connecting }
            if status.message.contains("too_many_pings") {
                state.keepalive.interval = state.keepalive.interval * 2
            }
        }
    }

    func failed(_ stay: Stay, _ status: Status) {
        let failed = state.withLock { state in
            guard state.isPresent(stay) else { return [(ClientCall, Status)]() }
            state.servers[stay.address]?.state = .failed(status)
            state.failure = status
            return state.takeHopeless(target)
        }
        for (call, status) in failed { call.end(status) }
    }

    func stop() {
        let (calls, connections) = state.withLock { state in
            state.phase = .stopped
            defer { state.waiting = [] }
            return (state.waiting, Array(state.open.values))
        }
        for connection in connections { connection.close() }
        for call in calls { call.end(Status(.unavailable, "the client has stopped")) }
    }
}

extension ClientCore.State {
    mutating func pick() -> ClientConnection? {
        let ready = ready
        return balancer.choose(ready.count) { ready[$0].connection.load.load(ordering: .relaxed) }
            .map { ready[$0].connection }
    }

    /// Whether a connection may come about without anything changing first.
    var mayBecomeReady: Bool {
        guard phase == .running, isResolved else { return true }
        return servers.values.contains { server in
            if case .connecting = server.state { return true }
            return false
        }
    }

    func whyUnavailable(_ target: Target) -> Status {
        let reason = failure?.message ?? "the name has no addresses"
        let code = failure?.code ?? .unavailable
        return Status(code, "no server of \(target) can be reached: \(reason)")
    }

    /// Calls that would not wait for a server and need not hope for one.
    mutating func takeHopeless(_ target: Target) -> [(ClientCall, Status)] {
        guard ready.isEmpty, !mayBecomeReady else { return [] }
        let status = whyUnavailable(target)
        let hopeless = waiting.filter { !$0.plan.waitsForReady }
        waiting.removeAll { !$0.plan.waitsForReady }
        return hopeless.map { ($0, status) }
    }

    func isPresent(_ stay: ClientCore.Stay) -> Bool { servers[stay.address]?.stay == stay }

    mutating func resolved(
        _ addresses: [ClientCore.Address], _ failure: Status?, _ target: Target
    ) -> (
        new: [ClientCore.Stay], retired: [ClientConnection], failed: [(ClientCall, Status)]
    ) {
        isResolved = true
        var new: [ClientCore.Stay] = []
        for address in addresses where servers[address] == nil {
            let stay = ClientCore.Stay(address: address, number: stays)
            stays += 1
            servers[address] = ClientCore.Server(stay: stay)
            new.append(stay)
        }
        if let failure {
            self.failure = failure
            return (new, [], takeHopeless(target))
        }
        let wanted = Set(addresses)
        let gone = servers.keys.filter { !wanted.contains($0) }
        for address in gone { servers[address] = nil }
        let retired = ready.filter { !wanted.contains($0.address) }.map(\.connection)
        ready.removeAll { !wanted.contains($0.address) }
        return (new, retired, takeHopeless(target))
    }
}
