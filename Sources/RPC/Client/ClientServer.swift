import NIOCore
import NIOPosix
import TLS

/// One server of a client: connects, and connects again when the connection is lost.
struct ClientServer: Sendable {
    let stay: ClientCore.Stay
    let core: ClientCore
    let tls: TLSContext?
    /// Asks for the names to be resolved anew.
    let resolveAgain: @Sendable () -> Void

    private var address: ClientCore.Address { stay.address }

    /// Keeps a connection until the server leaves the target or the task is cancelled.
    func run() async {
        var failures = 0
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled, core.isWanted(stay) {
            core.connecting(stay)
            do {
                let lifetime = try await keepConnection()
                // One that dies at once is a failure, too: no storm of connections.
                failures = lifetime < .seconds(1) ? failures + 1 : 0
            } catch {
                failures += 1
                core.failed(stay, Status(describing: error))
            }
            resolveAgain()
            // The first attempt after a loss is immediate.
            guard failures > 1 || (failures == 1 && !Task.isCancelled) else { continue }
            let delay = core.configuration.backoff.delay(afterFailures: failures, using: &random)
            do {
                try await Task.sleep(for: delay)
            } catch {
                return
            }
        }
    }

    /// Connects and waits until the connection takes no new calls; how long it lived.
    private func keepConnection() async throws -> Duration {
        let loop = core.loop
        let listeners = ClientConnectionHandler.Listeners(
            ready: loop.makePromise(), unusable: loop.makePromise())
        do {
            let connection = try await connect(on: loop, listeners)
            core.opened(connection)
            let begun = ContinuousClock.now
            let status = try await withTaskCancellationHandler {
                try await listeners.ready.futureResult.get()
                core.ready(connection, stay)
                return try await listeners.unusable.futureResult.get()
            } onCancel: {
                connection.close()
            }
            core.unusable(connection, stay, status)
            return .now - begun
        } catch {
            let status = describe(error)
            listeners.ready.fail(status)
            listeners.unusable.succeed(status)
            throw status
        }
    }

    private func connect(
        on loop: any EventLoop, _ listeners: ClientConnectionHandler.Listeners
    ) async throws -> ClientConnection {
        let socket = try SocketAddress(ipAddress: address.numeric, port: address.port)
        let configuration = core.configuration
        let keepalive = core.keepalive
        let authority = Target.Endpoint(host: address.host, port: address.port).description
        return try await ClientBootstrap(group: loop)
            .connectTimeout(.init(configuration.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(to: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let name = configuration.serverName ?? address.host
                        try channel.pipeline.syncOperations.addHandler(
                            TLSHandler(tls, serverName: name))
                    }
                    let handler = try ClientConnectionHandler(
                        configuration, keepalive: keepalive, authority: authority,
                        loop: channel.eventLoop, listeners: listeners)
                    let connection = ClientConnection(
                        channel, socket, handler, executor: core.executor)
                    handler.attach(connection)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    return connection
                }
            }
    }

    private func describe(_ error: any Error) -> Status {
        if let status = error as? Status { return status }
        return Status(
            .unavailable, "connecting to \(address.numeric):\(address.port) failed: \(error)")
    }
}
