import HTTP2
package import NIOCore
import Synchronization

/// What fuzzing reaches of a client's connection: one on a channel that the caller moves.
///
/// Everything it does happens on the channel's loop, callers that prefer its executor included.
package final class ClientProbe {
    package let client: Client
    private let core: ClientCore
    private let handler: ClientConnectionHandler
    private let connection: ClientConnection

    /// Made on the channel's loop, before the channel is active.
    package init(_ configuration: ClientConfiguration, on channel: any Channel) throws {
        let loop = channel.eventLoop
        let core = ClientCore(
            .addresses([.init(host: "probe", port: 1)]), configuration, loop: loop)
        let address = ClientCore.Address(host: "probe", numeric: "127.0.0.1", port: 1)
        guard core.begin(), let stay = core.resolved([address]).first else {
            throw Status(.internal, "the client knows no server")
        }
        let listeners = ClientConnectionHandler.Listeners(
            ready: loop.makePromise(), unusable: loop.makePromise())
        handler = try ClientConnectionHandler(
            configuration, keepalive: core.keepalive, authority: "probe", loop: loop,
            listeners: listeners)
        let connection = ClientConnection(
            channel, handler, to: core.look { $0.endpoint(of: stay) }, core: core)
        handler.attach(connection)
        try channel.pipeline.syncOperations.addHandler(handler)
        core.opened(connection)
        listeners.ready.futureResult.whenSuccess {
            core.ready(connection, stay, isServing: true)
        }
        listeners.unusable.futureResult.whenSuccess { core.unusable(connection, stay, $0) }
        self.connection = connection
        self.core = core
        client = Client(core)
    }

    /// Ends every call that waits for a server.
    package func stop() { core.stop() }

    /// How many calls the connection has, and how many bytes are kept for further attempts.
    package var held: (calls: Int, bytes: Int) {
        (connection.load.load(ordering: .relaxed), core.kept.count)
    }

    /// How many streams have a call that the connection has not let go of.
    package var callCount: Int { handler.session.openStreams.filter { $0.owner != nil }.count }
}
