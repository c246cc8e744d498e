import NIOCore
import NIOPosix
import TLS

extension Server {
    /// One socket that connections come from.
    struct Listener: Sendable {
        let address: ServerAddress
        let connections: NIOAsyncChannel<ServerConnection, Never>
        let file: UnixSocketFile?
    }

    /// Listens on every address of the configuration, or on none.
    func bindAll(_ tls: TLSFiles?) async throws -> [Listener] {
        var listeners: [Listener] = []
        do {
            for address in configuration.addresses {
                listeners.append(try await bind(address, tls))
            }
        } catch {
            for listener in listeners { await discard(listener) }
            throw error
        }
        return listeners
    }

    private func discard(_ listener: Listener) async {
        listener.file?.remove()
        do {
            try await listener.connections.executeThenClose { _ in }
        } catch {
            // It was never used; whoever could not listen is told why.
        }
    }

    private func bind(_ address: ServerAddress, _ tls: TLSFiles?) async throws -> Listener {
        do {
            switch address {
            case .host(let host, let port):
                let listener = try await bootstrap(isUnix: false).bind(host: host, port: port) {
                    channel in
                    let peer = channel.remoteAddress.map(Self.text) ?? "unknown"
                    return channel.eventLoop.makeCompletedFuture {
                        try self.connection(on: channel, from: peer, tls)
                    }
                }
                let port = listener.channel.localAddress?.port ?? port
                return Listener(
                    address: .host(host, port: port), connections: listener, file: nil)
            case .unix(let path):
                return try await bindUnix(path, tls)
            }
        } catch let error as ServerError {
            throw error
        } catch {
            throw ServerError.cannotListen(address: address, reason: "\(error)")
        }
    }

    private func bindUnix(_ path: String, _ tls: TLSFiles?) async throws -> Listener {
        guard (1...UnixSocketFile.maximumPathBytes).contains(path.utf8.count) else {
            throw ServerError.cannotListen(
                address: .unix(path: path),
                reason: "the path must have 1 to \(UnixSocketFile.maximumPathBytes) bytes")
        }
        var file = UnixSocketFile(path: path)
        switch file.kind {
        case .nothing: break
        case .other: throw ServerError.notASocket(path: path)
        case .socket:
            if await isAnswered(path) { throw ServerError.socketInUse(path: path) }
        }
        file.clearTemporary()
        let listener = try await bootstrap(isUnix: true).bind(
            unixDomainSocketPath: file.temporaryPath
        ) { channel in
            UnixPeer.describe(channel, path: path).flatMapThrowing { peer in
                try self.connection(on: channel, from: peer, tls)
            }
        }
        do {
            try file.publish(mode: configuration.unixSocketMode)
        } catch {
            file.clearTemporary()
            await discard(
                Listener(address: .unix(path: path), connections: listener, file: nil))
            throw error
        }
        return Listener(address: .unix(path: path), connections: listener, file: file)
    }

    private func bootstrap(isUnix: Bool) -> ServerBootstrap {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
        guard !isUnix else { return bootstrap }
        return
            bootstrap
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    }

    /// Whether a server listens at the path: a socket file nobody listens at is left over.
    private func isAnswered(_ path: String) async -> Bool {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path).get()
            channel.close(promise: nil)
            return true
        } catch let error as IOError where error.errnoCode == UnixSocketFile.refused {
            return false
        } catch {
            // What cannot be asked, such as another user's server, is not to be replaced.
            return true
        }
    }

    /// Fits out an accepted channel, or closes it; called on its loop.
    private func connection(
        on channel: any Channel, from peer: String, _ tls: TLSFiles?
    ) throws -> ServerConnection {
        do {
            return try fittedOut(channel, peer, tls)
        } catch {
            // Whoever throws here is merely left out of the connections to serve.
            channel.close(promise: nil)
            throw error
        }
    }

    private func fittedOut(
        _ channel: any Channel, _ peer: String, _ tls: TLSFiles?
    ) throws -> ServerConnection {
        let handler = try ServerConnectionHandler(
            router, configuration, load, peer: peer, loop: channel.eventLoop)
        let connection = ServerConnection(channel, handler, configuration.handlers)
        try register(connection, channel)
        if let tls {
            try channel.pipeline.syncOperations.addHandler(
                TLSHandler(tls.context, serverName: nil))
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        // Last, since only a handler that was added lets go of what it is attached to.
        handler.attach(connection)
        return connection
    }

    private static func text(_ address: SocketAddress) -> String {
        Target.Endpoint(
            host: address.ipAddress ?? address.pathname ?? "unknown", port: address.port ?? 0
        ).description
    }
}
