public import NIOCore

/// Wraps a channel in TLS.
///
/// `channelActive` passes on only once the handshake is complete, so that whoever comes after in
/// the pipeline speaks over TLS without knowing. A failure is fired as a ``TLSError``, and the
/// channel is closed.
public final class TLSHandler: ChannelDuplexHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer
    public typealias OutboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    /// An outbound event: changes the keys of both directions (KeyUpdate; RFC 8446, 4.6.3), as
    /// either side may at any time. Its promise fails with ``TLSError/keysNotUpdated(reason:)``
    /// before TLS 1.3, or where the connection is not open.
    public struct KeyUpdate: Sendable {
        public init() {}
    }

    private enum State {
        case idle, handshaking, open, failed
    }

    private let engine: TLSEngine
    private var state = State.idle
    private var promises: [EventLoopPromise<Void>] = []
    private let isServer: Bool
    /// What was written before the handshake was complete.
    private var early: [(data: NIOAny, promise: EventLoopPromise<Void>?)] = []
    /// Whether those after us are just being told of a failure, whose end we see to.
    private var isFailing = false

    /// - Parameter serverName: whom a client expects; a name or an IP address.
    public init(_ context: TLSContext, serverName: String?) throws(TLSError) {
        engine = try TLSEngine(context, serverName: serverName)
        isServer = context.role == .server
    }

    /// The subject of the peer's verified certificate, once the handshake is complete.
    public var peerIdentity: String? { engine.peerIdentity }

    public func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    public func channelActive(context: ChannelHandlerContext) {
        begin(context)
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard state == .idle else { return }
        state = .handshaking
        advance(context)
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .failed else { return }
        engine.receive(unwrapInboundIn(data))
        if state == .handshaking { advance(context) }
        if state == .open { readPlain(context) }
        // As at the end of a plain connection, which ends both ways.
        if engine.isPeerDone { close(context: context, mode: .all, promise: nil) }
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        writeSealed(context)
        context.fireChannelReadComplete()
    }

    public func channelInactive(context: ChannelHandlerContext) {
        if state == .handshaking { context.fireErrorCaught(TLSError.closedDuringHandshake) }
        state = .failed
        failPromises(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    public func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        guard state == .open else {
            guard state != .failed else {
                promise?.fail(ChannelError.ioOnClosedChannel)
                return
            }
            early.append((data, promise))
            return
        }
        do {
            try engine.writePlain(unwrapOutboundIn(data))
            if let promise { promises.append(promise) }
            // Before the flush, so that the channel knows how much it holds and says when it is full.
            if engine.sealedCount >= 64 << 10 { writeSealed(context, flushing: false) }
        } catch {
            promise?.fail(error)
            fail(context, error)
        }
    }

    public func flush(context: ChannelHandlerContext) {
        writeSealed(context, flushing: false)
        context.flush()
    }

    public func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is KeyUpdate else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        do {
            guard state == .open else { throw TLSError.keysNotUpdated(reason: "not connected") }
            try engine.updateKeys()
            writeSealed(context)
            promise?.succeed()
        } catch {
            promise?.fail(error)
        }
    }

    public func close(
        context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
    ) {
        guard !isFailing else {
            promise?.succeed()
            return
        }
        if state == .open, mode != .input {
            engine.close()
            writeSealed(context)
        }
        context.close(mode: mode, promise: promise)
    }

    private func advance(_ context: ChannelHandlerContext) {
        do {
            let isComplete = try engine.handshake()
            writeSealed(context)
            guard isComplete else { return }
            state = .open
            let waiting = early
            early = []
            for (data, promise) in waiting { write(context: context, data: data, promise: promise) }
            if !waiting.isEmpty { flush(context: context) }
            context.fireChannelActive()
        } catch {
            // The alert tells the peer why.
            writeSealed(context)
            fail(context, error)
        }
    }

    private func readPlain(_ context: ChannelHandlerContext) {
        do {
            while true {
                var buffer = context.channel.allocator.buffer(capacity: 32 << 10)
                while buffer.readableBytes < 64 << 10, try engine.readPlain(into: &buffer) {}
                guard buffer.readableBytes > 0 else { return }
                context.fireChannelRead(wrapInboundOut(buffer))
            }
        } catch {
            writeSealed(context)
            fail(context, error)
        }
    }

    private func writeSealed(_ context: ChannelHandlerContext, flushing: Bool = true) {
        let waiting = engine.sealedCount
        guard waiting > 0 || !promises.isEmpty else { return }
        var promise: EventLoopPromise<Void>?
        if !promises.isEmpty {
            let joined = context.eventLoop.makePromise(of: Void.self)
            for waiter in promises { joined.futureResult.cascade(to: waiter) }
            promises = []
            promise = joined
        }
        context.write(wrapOutboundOut(engine.takeSealed()), promise: promise)
        if flushing { context.flush() }
    }

    private func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        guard state != .failed else { return }
        let mustLinger = isServer && state == .handshaking
        state = .failed
        failPromises(error)
        isFailing = true
        context.fireErrorCaught(error)
        isFailing = false
        guard mustLinger else { return context.close(promise: nil) }
        // A client may have sent its first requests already. To close while they are unread would
        // send a reset after the alert, and the client would learn of nothing else.
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
    }

    private func failPromises(_ error: any Error) {
        for promise in promises { promise.fail(error) }
        promises = []
        for (_, promise) in early { promise?.fail(error) }
        early = []
    }
}
