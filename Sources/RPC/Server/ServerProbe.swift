import HTTP2
package import NIOCore

/// What fuzzing reaches of a server's connection: one on a channel that the caller moves.
///
/// Everything it does happens on the channel's loop, its handlers included.
package final class ServerProbe {
    private let server: Server
    private let handler: ServerConnectionHandler
    private let connection: ServerConnection

    /// Made on the channel's loop, before the channel is active.
    package init(
        _ configuration: ServerConfiguration, _ router: Router, on channel: any Channel
    ) throws {
        server = Server(configuration, router: router)
        handler = try ServerConnectionHandler(
            server.router, configuration, server.load, peer: "probe", loop: channel.eventLoop)
        connection = ServerConnection(channel, handler, .eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
        handler.attach(connection)
    }

    /// What runs the handlers.
    package var executor: (any TaskExecutor)? { connection.executor }

    /// Answers calls until the channel is closed; for a task that prefers the executor.
    package var run: @Sendable () async -> Void {
        { [connection] in await connection.run() }
    }

    package func drain() { connection.drain() }

    /// What the connection's buffers hold, as the server counts it.
    package var heldBytes: Int { handler.memory.heldBytes }

    /// How many streams have a call that the connection has not let go of.
    package var callCount: Int { handler.session.openStreams.filter { $0.owner != nil }.count }

    /// How many calls began, and how many of them ended.
    package var calls: (begun: Int, ended: Int) {
        server.counters.reduce((0, 0)) { sums, counters in
            let ended = Status.Code.allCases.reduce(0) { $0 + counters.ended(with: $1) }
            return (sums.0 + counters.started, sums.1 + ended)
        }
    }
}
