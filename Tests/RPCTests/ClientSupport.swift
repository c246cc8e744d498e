import NIOCore
import NIOPosix
import RPC
import Synchronization
import Testing

/// Runs several servers for as long as `body` runs.
func running<Result: Sendable>(
    _ servers: [Server], ports: [Int] = [],
    _ body: @escaping @Sendable ([Int]) async throws -> Result
) async throws -> Result {
    guard let first = servers.first else { return try await body(ports) }
    return try await running(first) { port in
        try await running(Array(servers.dropFirst()), ports: ports + [port], body)
    }
}

/// A target of servers on this machine.
func local(_ ports: [Int]) -> Target {
    .addresses(ports.map { .init(host: "127.0.0.1", port: $0) })
}

/// A router whose calls of one message answer a name, and count.
func named(_ name: UInt8, _ count: Counter = Counter()) -> Router {
    var router = Router()
    for method in [Echo.unary, Echo.repeatable] {
        router.unary(method) { _, _ in
            count.add()
            return Bytes([name])
        }
    }
    return router
}

/// Waits for what others bring about; the suite's time limit ends a test that waits in vain.
func until(_ isSo: () -> Bool) async throws {
    while !isSo() { try await Task.sleep(for: .milliseconds(2)) }
}

extension Client {
    /// Waits until so many servers are ready.
    func untilReady(_ count: Int) async throws {
        try await until { servers.count { $0.state == .ready } == count }
    }
}

/// Carries bytes to a server from another address, and may die like one.
final class Relay: Sendable {
    private final class Forwarder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let other: any Channel

        init(to other: any Channel) {
            self.other = other
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            other.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            other.close(promise: nil)
        }
    }

    /// Connects to the server once the accepted channel can carry its answers.
    private final class Opener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let server: Int

        init(to server: Int) {
            self.server = server
        }

        func channelActive(context: ChannelHandlerContext) {
            let child = context.channel
            let forwarder = NIOLoopBound(Forwarder(to: child), eventLoop: context.eventLoop)
            ClientBootstrap(group: context.eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(forwarder.value)
                    }
                }
                .connect(host: "127.0.0.1", port: server)
                .flatMapThrowing { channel in
                    try child.pipeline.syncOperations.addHandler(Forwarder(to: channel))
                }
                .flatMap { child.setOption(.autoRead, value: true) }
                .whenFailure { _ in child.close(promise: nil) }
        }
    }

    private struct State {
        var listener: (any Channel)?
        var accepted: [any Channel] = []
        var isKilled = false
    }

    private let server: Int
    private let state = Mutex(State())

    /// - Parameter server: the port of the server behind it.
    init(to server: Int) {
        self.server = server
    }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { child in self.accept(child) }
    }

    private func accept(_ child: any Channel) -> EventLoopFuture<Void> {
        let isKilled = state.withLock { state in
            state.accepted.append(child)
            return state.isKilled
        }
        if isKilled { child.close(promise: nil) }
        return child.eventLoop.makeCompletedFuture {
            try child.pipeline.syncOperations.addHandler(Opener(to: self.server))
        }
    }

    /// Listens on a port of its own.
    func listen() async throws -> Int {
        let listener = try await bootstrap().bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.listener = listener }
        return try #require(listener.localAddress?.port)
    }

    /// Listens on a socket's file.
    func listen(at path: String) async throws {
        let listener = try await bootstrap().bind(unixDomainSocketPath: path).get()
        state.withLock { $0.listener = listener }
    }

    /// How many connections came.
    var connections: Int { state.withLock { $0.accepted.count } }

    /// Closes every socket at once, and listens no more.
    func kill() async throws {
        let (listener, accepted) = state.withLock { state in
            state.isKilled = true
            return (state.listener, state.accepted)
        }
        try await listener?.close()
        for channel in accepted { channel.close(promise: nil) }
    }
}
