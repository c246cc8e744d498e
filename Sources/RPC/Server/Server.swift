import NIOCore
import NIOPosix
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
        case listening(port: Int, any Channel)
        case draining, stopped
    }

    struct State {
        var phase = Phase.idle
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        var portWaiters: [CheckedContinuation<Int, any Error>] = []
    }

    /// What the server answers to health probes.
    public let health: Health
    private let configuration: ServerConfiguration
    private let router: Router
    private let state = Mutex(State())

    public init(_ configuration: ServerConfiguration, router: Router) {
        self.configuration = configuration
        var router = router
        health = Health(services: router.services)
        HealthService.register(health, in: &router)
        router.limit(requestBytes: configuration.maximumRequestBytes)
        self.router = router
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
        let listener = try await bind()
        guard let port = listener.channel.localAddress?.port else {
            throw Status(.internal, "the listening socket has no port")
        }
        let (waiters, mayServe) = state.withLock { state in
            guard case .binding = state.phase else {
                return ([CheckedContinuation<Int, any Error>](), false)
            }
            state.phase = .listening(port: port, listener.channel)
            defer { state.portWaiters = [] }
            return (state.portWaiters, true)
        }
        for waiter in waiters { waiter.resume(returning: port) }
        if !mayServe { listener.channel.close(promise: nil) }
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { await connection.run() }
                }
            }
        }
    }

    private func bind() async throws -> NIOAsyncChannel<ServerConnection, Never> {
        let tls = try configuration.tls.map { try TLSContext(.server, $0) }
        do {
            return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: configuration.host, port: configuration.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try self.connection(on: channel, tls)
                    }
                }
        } catch let error as IOError {
            throw ServerError.cannotListen(
                host: configuration.host, port: configuration.port, reason: "\(error)")
        }
    }

    /// Fits out an accepted channel; called on its loop.
    private func connection(
        on channel: any Channel, _ tls: TLSContext?
    ) throws -> ServerConnection {
        let handler = try ServerConnectionHandler(router, configuration, loop: channel.eventLoop)
        let connection = ServerConnection(channel, handler, configuration.handlers)
        handler.attach(connection)
        try register(connection, channel)
        if let tls {
            try channel.pipeline.syncOperations.addHandler(TLSHandler(tls, serverName: nil))
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        return connection
    }

    /// Notes a connection before any task knows of it, so that none is left behind at the end.
    ///
    /// - Throws: where the connection is one too many or too late; it is closed then.
    private func register(_ connection: ServerConnection, _ channel: any Channel) throws {
        let isTaken = state.withLock { state in
            switch state.phase {
            case .binding, .listening: break
            case .idle, .draining, .stopped: return false
            }
            guard state.connections.count < configuration.maximumConnections else { return false }
            state.connections[ObjectIdentifier(connection)] = connection
            return true
        }
        guard isTaken else {
            // Whoever throws here is merely left out of the connections to serve.
            channel.close(promise: nil)
            throw Status(.resourceExhausted, "the server takes no connection")
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.connections[ObjectIdentifier(connection)] = nil }
        }
    }

    /// The port the server listens on; waits until it does, throws where it cannot.
    public func listeningPort() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            let answer: Result<Int, any Error>? = state.withLock { state in
                switch state.phase {
                case .listening(let port, _): return .success(port)
                case .idle, .binding:
                    state.portWaiters.append(continuation)
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
        let (listener, connections, waiters) = state.withLock { $0.drain() }
        listener?.close(promise: nil)
        for connection in connections { connection.drain() }
        for waiter in waiters {
            waiter.resume(throwing: Status(.unavailable, "the server was drained"))
        }
    }

    private func stop(_ error: any Error) {
        let (waiters, connections) = state.withLock { state in
            state.phase = .stopped
            defer { state.portWaiters = [] }
            return (state.portWaiters, Array(state.connections.values))
        }
        for connection in connections { connection.close() }
        for waiter in waiters { waiter.resume(throwing: error) }
    }
}

extension Server.State {
    mutating func drain() -> (
        listener: (any Channel)?, connections: [ServerConnection],
        waiters: [CheckedContinuation<Int, any Error>]
    ) {
        switch phase {
        case .idle:
            phase = .stopped
        case .binding:
            phase = .draining
        case .listening(_, let listener):
            phase = .draining
            return (listener, Array(connections.values), [])
        case .draining, .stopped: break
        }
        defer { portWaiters = [] }
        return (nil, [], portWaiters)
    }
}

/// Why a server could not serve.
public enum ServerError: Error, Equatable, StatusConvertible, CustomStringConvertible {
    case cannotListen(host: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .cannotListen(let host, let port, let reason):
            "cannot listen on \(host):\(port): \(reason); choose another port or stop what uses it"
        }
    }

    public var status: Status { Status(.unavailable, description) }
}
