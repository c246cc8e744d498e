import NIOCore
import Synchronization
import TLS

/// Answers calls over HTTP/2.
public final class Server: Sendable {
    /// ```
    /// idle ──run──▶ binding ──▶ listening ──drain──▶ draining ──the last call ends──▶ stopped
    ///   └──drain──▶ stopped        └──────────the task is cancelled──────────────────────┘
    /// ```
    enum Phase {
        case idle, binding
        case listening([ServerAddress], [any Channel])
        case draining, stopped
    }

    typealias AddressWaiter = CheckedContinuation<[ServerAddress], any Error>

    struct State {
        var phase = Phase.idle
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        /// How many connections each IP address has; counted only where that is limited.
        var connectionsOfAddress: [String: Int] = [:]
        var addressWaiters: [AddressWaiter] = []
        /// Connections of clients in this process, and where new ones go.
        var inProcess: [ObjectIdentifier: InProcessLink] = [:]
        var inProcessListener: AsyncStream<InProcessLink>.Continuation?
    }

    /// What the server answers to health probes.
    public let health: Health
    /// What was counted of each method of the router, by path.
    public let counters: [MethodCounters]
    let configuration: ServerConfiguration
    let router: Router
    let load: ServerLoad
    let state = Mutex(State())

    public init(_ configuration: ServerConfiguration, router: Router) {
        _ = LargeBlocks.areKept
        self.configuration = configuration
        counters = router.routes.sorted { $0.key < $1.key }.map(\.value.counters)
        var router = router.intercepted(by: configuration.interceptors)
        health = Health(services: router.services)
        HealthService.register(health, in: &router)
        router.limit(requestBytes: configuration.maximumRequestBytes)
        for (path, route) in router.routes {
            router.routes[path] = Route(route, priority: configuration.load.priority(of: route))
        }
        let admission = AdmissionControl(configuration.load, router)
        load = ServerLoad(admission)
        self.router = admission?.guarding(router) ?? router
    }

    /// Serves until its task is cancelled, which ends open calls at once, or until drained.
    public func run() async throws {
        let mayRun = state.withLock { state in
            guard case .idle = state.phase else { return false }
            state.phase = .binding
            return true
        }
        guard mayRun else { return }
        do {
            try await serve()
            stop(Status(.unavailable, "the server has stopped"))
        } catch {
            stop(error)
            if !Task.isCancelled { throw error }
        }
    }

    private func serve() async throws {
        let tls = try configuration.tls.map { try TLSFiles(.server, $0) }
        let told = configuration.certificatesReloaded ?? { _ in }
        try await TLSFiles.watched(tls, every: configuration.certificatePollInterval, told) {
            try await serve(at: bindAll(tls))
        }
    }

    private func serve(at listeners: [Listener]) async throws {
        defer { for listener in listeners { listener.file?.remove() } }
        let addresses = listeners.map(\.address)
        let (links, linkListener) = AsyncStream.makeStream(of: InProcessLink.self)
        let (waiters, mayServe) = state.withLock { state in
            guard case .binding = state.phase else { return ([AddressWaiter](), false) }
            state.inProcessListener = linkListener
            state.phase = .listening(addresses, listeners.map(\.connections.channel))
            defer { state.addressWaiters = [] }
            return (state.addressWaiters, true)
        }
        for waiter in waiters { waiter.resume(returning: addresses) }
        if !mayServe {
            linkListener.finish()
            for listener in listeners { listener.connections.channel.close(promise: nil) }
        }
        try await withThrowingDiscardingTaskGroup { group in
            for listener in listeners {
                group.addTask { try await self.accept(from: listener) }
            }
            group.addTask { await self.accept(links) }
        }
    }

    /// Serves the connections of a listener until it is closed.
    private func accept(from listener: Listener) async throws {
        try await listener.connections.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { await connection.run() }
                }
            }
        }
    }

    /// Notes a connection before any task knows of it, so that none is left behind at the end.
    ///
    /// - Throws: where the connection is one too many or too late.
    func register(_ connection: ServerConnection, _ channel: any Channel) throws {
        let address =
            configuration.maximumConnectionsPerAddress == nil
            ? nil : channel.remoteAddress?.ipAddress
        let isTaken = state.withLock { state in
            state.register(connection, address, configuration)
        }
        guard isTaken else {
            throw Status(.resourceExhausted, "the server takes no connection")
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.forget(connection, address) }
        }
    }

    /// The port the server listens on; waits until it does, throws where it cannot.
    public func listeningPort() async throws -> Int {
        for address in try await listeningAddresses() {
            if let port = address.port { return port }
        }
        throw Status(.failedPrecondition, "the server listens on no port")
    }

    /// Where the server listens, with the ports the system chose; waits until it does, throws
    /// where it cannot.
    public func listeningAddresses() async throws -> [ServerAddress] {
        try await withCheckedThrowingContinuation { continuation in
            let answer: Result<[ServerAddress], any Error>? = state.withLock { state in
                switch state.phase {
                case .listening(let addresses, _): return .success(addresses)
                case .idle, .binding:
                    state.addressWaiters.append(continuation)
                    return nil
                case .draining, .stopped:
                    return .failure(Status(.unavailable, "the server has stopped"))
                }
            }
            if let answer { continuation.resume(with: answer) }
        }
    }

    /// Takes no new calls, lets open ones finish, then makes ``run()`` return.
    public func drain() {
        health.drain()
        let (listeners, connections, waiters) = state.withLock { $0.drain() }
        for listener in listeners { listener.close(promise: nil) }
        for connection in connections { connection.drain() }
        drainInProcess()
        for waiter in waiters {
            waiter.resume(throwing: Status(.unavailable, "the server was drained"))
        }
    }

    private func stop(_ error: any Error) {
        let (waiters, connections) = state.withLock { state in
            state.phase = .stopped
            defer { state.addressWaiters = [] }
            return (state.addressWaiters, Array(state.connections.values))
        }
        closeInProcess()
        for connection in connections { connection.close() }
        for waiter in waiters { waiter.resume(throwing: error) }
    }
}

extension Server.State {
    /// Whether a new connection is taken.
    ///
    /// - Parameter address: its peer's, where connections of one address are limited.
    mutating func register(
        _ connection: ServerConnection, _ address: String?, _ configuration: ServerConfiguration
    ) -> Bool {
        switch phase {
        case .binding, .listening: break
        case .idle, .draining, .stopped: return false
        }
        guard connections.count < configuration.maximumConnections else { return false }
        if let address, let limit = configuration.maximumConnectionsPerAddress {
            let count = connectionsOfAddress[address, default: 0]
            guard count < limit else { return false }
            connectionsOfAddress[address] = count + 1
        }
        connections[ObjectIdentifier(connection)] = connection
        return true
    }

    mutating func forget(_ connection: ServerConnection, _ address: String?) {
        connections[ObjectIdentifier(connection)] = nil
        guard let address, let count = connectionsOfAddress[address] else { return }
        connectionsOfAddress[address] = count > 1 ? count - 1 : nil
    }

    mutating func drain() -> (
        listeners: [any Channel], connections: [ServerConnection],
        waiters: [Server.AddressWaiter]
    ) {
        switch phase {
        case .idle:
            phase = .stopped
        case .binding:
            phase = .draining
            defer { addressWaiters = [] }
            // Of an address that listens already, while another is not bound yet.
            return ([], Array(connections.values), addressWaiters)
        case .listening(_, let listeners):
            phase = .draining
            return (listeners, Array(connections.values), [])
        case .draining, .stopped: break
        }
        defer { addressWaiters = [] }
        return ([], [], addressWaiters)
    }
}
