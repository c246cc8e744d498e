import NIOCore
import Synchronization

/// What all connections to a server share.
final class ClientEndpoint: Sendable {
    let stay: ClientCore.Stay
    /// Failed calls since the last that succeeded.
    let failuresInRow = Atomic<Int>(0)

    init(_ stay: ClientCore.Stay) {
        self.stay = stay
    }
}

/// What carries the calls of a client's connection.
protocol ClientCarrier: Sendable {
    /// Takes no new calls, and closes once those that are open have ended.
    func retire()
    func close()
    /// Done once it is closed.
    var closeFuture: EventLoopFuture<Void> { get }
}

/// Carries calls over a channel.
private struct ChannelCarrier: ClientCarrier {
    let channel: any Channel
    let handler: NIOLoopBound<ClientConnectionHandler>

    func retire() { channel.eventLoop.execute { handler.value.retire() } }
    func close() { channel.close(promise: nil) }
    var closeFuture: EventLoopFuture<Void> { channel.closeFuture }
}

/// One open connection of a client, as its calls see it.
final class ClientConnection: Sendable {
    let peer: Peer
    let endpoint: ClientEndpoint
    private let core: ClientCore
    private let carrier: any ClientCarrier
    let mailbox: Mailbox<ClientCall>
    /// What runs the callers' tasks that are on the client's loop.
    var executor: LoopExecutor { core.executor }
    /// How many calls were given to it and have not ended.
    let load = Atomic<Int>(0)
    /// How many calls the server takes at a time.
    let callLimit = Atomic<Int>(100)
    /// Ended calls; written on the loop alone.
    let successes = Atomic<Int>(0)
    let failures = Atomic<Int>(0)

    /// Made on the channel's loop.
    init(
        _ channel: any Channel, _ handler: ClientConnectionHandler, to endpoint: ClientEndpoint,
        core: ClientCore
    ) {
        self.endpoint = endpoint
        self.core = core
        peer = Peer(address: endpoint.stay.address.description)
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        carrier = ChannelCarrier(channel: channel, handler: bound)
        mailbox = Mailbox(channel.eventLoop) { calls in bound.value.update(calls) }
    }

    /// Whether it may carry further calls.
    var isUsable: Bool { callLimit.load(ordering: .relaxed) > 0 }

    /// - Parameter update: takes what calls have posted; called on the client's loop.
    init(
        _ carrier: any ClientCarrier, to endpoint: ClientEndpoint, core: ClientCore,
        update: @escaping @Sendable ([ClientCall]) -> Void
    ) {
        self.endpoint = endpoint
        self.core = core
        self.carrier = carrier
        peer = Peer(address: endpoint.stay.address.description)
        mailbox = Mailbox(core.loop, deliver: update)
    }

    var hasRoom: Bool {
        load.load(ordering: .sequentiallyConsistent) < callLimit.load(ordering: .relaxed)
    }

    /// Keeps room for a call.
    func reserve() {
        load.add(1, ordering: .relaxed)
        core.roomWasTaken()
    }

    /// Sends the request of a call that room was kept for; its answer comes back to the call.
    func start(_ call: ClientCall) {
        guard call.attempt(on: self) else { return release() }
        mailbox.post(call)
    }

    /// A call has ended; another that waits may have its room.
    func release() {
        load.subtract(1, ordering: .sequentiallyConsistent)
        core.roomCameFree()
    }

    /// Counts a call that ended; called on the loop.
    func note(_ code: Status.Code) {
        switch code {
        case .unavailable, .deadlineExceeded, .internal, .unknown, .dataLoss:
            failures.store(failures.load(ordering: .relaxed) + 1, ordering: .relaxed)
            let count = endpoint.failuresInRow.add(1, ordering: .relaxed).newValue
            core.failedInRow(endpoint, count)
        // Nobody knows how it would have ended.
        case .cancelled: break
        default:
            successes.store(successes.load(ordering: .relaxed) + 1, ordering: .relaxed)
            guard endpoint.failuresInRow.load(ordering: .relaxed) > 0 else { return }
            endpoint.failuresInRow.store(0, ordering: .relaxed)
            core.recovered(endpoint)
        }
    }

    /// Takes no new calls, and closes once those that are open have ended.
    func retire() {
        carrier.retire()
    }

    func close() {
        carrier.close()
    }

    var closeFuture: EventLoopFuture<Void> { carrier.closeFuture }
}
