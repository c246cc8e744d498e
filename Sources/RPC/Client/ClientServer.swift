import NIOCore
import NIOPosix
import TLS

/// One server of a client: connects, connects again when the connection is lost, and once more
/// when the server takes no more calls on the connections there are.
struct ClientServer: Sendable {
    let stay: ClientCore.Stay
    let core: ClientCore
    let tls: TLSFiles?
    /// Asks for the names to be resolved anew.
    let resolveAgain: @Sendable () -> Void

    private var address: ClientCore.Address { stay.address }

    /// Keeps connections until the server leaves the target or the task is cancelled.
    func run() async {
        let (requests, request) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        core.change { $0.setConnectMore(request, of: stay) }
        await withDiscardingTaskGroup { group in
            group.addTask {
                await keepConnected()
                request.finish()
            }
            for await _ in requests {
                group.addTask {
                    do {
                        _ = try await keepConnection(isFirst: false)
                    } catch {
                        core.failed(stay, Status(describing: error))
                    }
                }
            }
        }
    }

    private func keepConnected() async {
        var failures = 0
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled, core.isWanted(stay) {
            core.change { $0.connecting(stay) }
            do {
                let lifetime = try await keepConnection(isFirst: true)
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
    private func keepConnection(isFirst: Bool) async throws -> Duration {
        let loop = core.loop
        let listeners = ClientConnectionHandler.Listeners(
            ready: loop.makePromise(), unusable: loop.makePromise())
        do {
            let connection = try await connect(on: loop, listeners)
            core.opened(connection)
            let begun = ContinuousClock.now
            let status = try await withTaskCancellationHandler {
                try await listeners.ready.futureResult.get()
                return try await use(connection, isFirst: isFirst, listeners)
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

    /// Lets calls use a connection for as long as it takes any, and the server is well.
    private func use(
        _ connection: ClientConnection, isFirst: Bool,
        _ listeners: ClientConnectionHandler.Listeners
    ) async throws -> Status {
        guard isFirst, let service = core.configuration.healthService else {
            core.ready(connection, stay, isServing: isFirst ? true : nil)
            return try await listeners.unusable.futureResult.get()
        }
        core.ready(connection, stay, isServing: false)
        let watch = HealthWatch(service: service, stay: stay, core: core)
        return try await withThrowingTaskGroup(of: Status?.self) { group in
            group.addTask {
                await watch.run(on: connection)
                return nil
            }
            group.addTask { try await listeners.unusable.futureResult.get() }
            defer { group.cancelAll() }
            while let status = try await group.next() {
                if let status { return status }
            }
            return Status(.unavailable, "the connection was closed")
        }
    }

    private func connect(
        on loop: any EventLoop, _ listeners: ClientConnectionHandler.Listeners
    ) async throws -> ClientConnection {
        let socket = try address.socketAddress()
        let configuration = core.configuration
        let keepalive = core.keepalive
        let endpoint = core.look { $0.endpoint(of: stay) }
        let authority =
            address.path == nil
            ? Target.Endpoint(host: address.host, port: address.port).description : address.host
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.init(configuration.connectTimeout))
        if address.path == nil {
            _ = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
        }
        return try await bootstrap.connect(to: socket) { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls {
                    let name = configuration.serverName ?? address.host
                    try channel.pipeline.syncOperations.addHandler(
                        TLSHandler(tls.context, serverName: name))
                }
                let handler = try ClientConnectionHandler(
                    configuration, keepalive: keepalive, authority: authority,
                    loop: channel.eventLoop, listeners: listeners)
                let connection = ClientConnection(channel, handler, to: endpoint, core: core)
                handler.attach(connection)
                try channel.pipeline.syncOperations.addHandler(handler)
                return connection
            }
        }
    }

    private func describe(_ error: any Error) -> Status {
        if let status = error as? Status { return status }
        return Status(.unavailable, "connecting to \(address) failed: \(error)")
    }
}
