import NIOCore
import Synchronization

/// One open connection of a client, as its calls see it.
final class ClientConnection: Sendable {
    let channel: any Channel
    let peer: Peer
    private let handler: NIOLoopBound<ClientConnectionHandler>
    let mailbox: Mailbox<ClientCall>
    /// What runs the callers' tasks that are on the client's loop.
    let executor: LoopExecutor
    /// How many calls are open on it.
    let load = Atomic<Int>(0)

    /// Made on the channel's loop.
    init(
        _ channel: any Channel, _ address: SocketAddress, _ handler: ClientConnectionHandler,
        executor: LoopExecutor
    ) {
        self.channel = channel
        peer = Peer(
            address: Target.Endpoint(
                host: address.ipAddress ?? address.pathname ?? "unknown", port: address.port ?? 0
            ).description)
        self.executor = executor
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        self.handler = bound
        mailbox = Mailbox(channel.eventLoop) { calls in bound.value.update(calls) }
    }

    /// Sends a call's request; its answer comes back to the call.
    func start(_ call: ClientCall) {
        load.add(1, ordering: .relaxed)
        guard call.attempt(on: self) else {
            load.subtract(1, ordering: .relaxed)
            return
        }
        mailbox.post(call)
    }

    /// Takes no new calls, and closes once those that are open have ended.
    func retire() {
        channel.eventLoop.execute { self.handler.value.retire() }
    }

    func close() {
        channel.close(promise: nil)
    }
}
