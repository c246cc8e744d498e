import HTTP2
import NIOCore

/// The end of a channel's pipeline: carries bytes between the socket and an HTTP/2 session.
///
/// Lives on its event loop alone. What the events mean is the subclass's: a server's or a
/// client's side. Output is written once per turn of the loop.
class ConnectionHandler: ChannelInboundHandler, SessionListener {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let session: Session
    let loop: any EventLoop
    private(set) final var context: ChannelHandlerContext?
    private let keepalive: Keepalive
    private let handshakeTimeout: Duration
    private var handshakeTimer: Scheduled<Void>?
    private var keepaliveTimer: Scheduled<Void>?
    private var lingerTimer: Scheduled<Void>?
    private(set) final var lastRead = ContinuousClock.now
    /// By the loop's clock, which costs less to keep.
    private(set) final var turnBegun = NIODeadline.now()
    private var awaitedPing: UInt64?
    private var nextPing: UInt64 = 1
    /// The bytes being received, which data events point into.
    private var input = ByteBuffer()
    /// Whether the session is telling events: it must not be asked for output meanwhile.
    private var isReceiving = false
    private var isFlushing = false
    /// Whether bytes were read since the last turn ended.
    private var isTurn = false
    /// What this turn keeps for its end.
    private var heldExecutor: LoopExecutor?
    private var holdsPosts = false
    /// How many requests, or answers, came to their end in this turn.
    private var endsInTurn = 0
    /// How many there were since the connection began.
    private var endsSeen = 0
    /// Whether the bytes read last were those of small calls; then reads are taken in slices.
    private var isDense = false

    /// The least a slice holds; most hold half of a read. Each costs a write, which is as dear as two
    /// calls: with more of them one side waits less and both work more.
    private static let sliceBytes = 1024
    private static let slicesPerRead = 2
    /// How many bytes a small call has at most.
    private static let denseBytes = 512
    /// After how many small calls the peer is answered, though more are waiting.
    private static let callsPerTurn = 4
    private let buffers: OutputBuffers
    /// Whether bytes may be sent: over TLS, only after its handshake.
    private var isOpen = false
    private var isSentAway = false
    private(set) final var isLost = false
    /// Why the connection broke; kept for those whose calls it takes along.
    private(set) final var failure: Status?

    init(
        session: Session, loop: any EventLoop, keepalive: Keepalive, handshakeTimeout: Duration
    ) {
        self.session = session
        self.loop = loop
        self.keepalive = keepalive
        self.handshakeTimeout = handshakeTimeout
        buffers = OutputBuffers.ofThisThread
    }

    // MARK: For the subclass

    /// Acts on an event; `input` holds the bytes that data events point into.
    func handle(_ event: Event, _ input: ByteBuffer) {}

    /// The connection carries nothing any more; ends every call on it.
    func lost(_ status: Status) {}

    /// The socket is closed.
    func gone() {}

    /// The socket is full, and so many bytes of frames wait for it; none once it takes more.
    func framedBytesChanged(to count: Int) {}

    /// What to say beside the reason of a connection that broke before the peer's first frames.
    var hintBeforeReady: String { "" }

    /// The connection can carry calls: the peer's first frames are here.
    func ready() {}

    /// What runs tasks on this loop; nil where none does.
    var executor: LoopExecutor? { nil }

    /// Keeps what calls post until ``drainPosts()``; false where that need not follow.
    func holdPosts() -> Bool { false }

    func drainPosts() {}

    /// All bytes that were there have been read.
    func turnEnds() {}

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setWaterMark(context)
        let bound = NIOLoopBound(self, eventLoop: loop)
        handshakeTimer = loop.scheduleTask(in: .init(handshakeTimeout)) {
            bound.value.fail(
                Status(.unavailable, "the peer sent no HTTP/2 settings in time"), .noError)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        lose(Status(.unavailable, "the connection was never opened"))
        lingerTimer?.cancel()
        self.context = nil
        gone()
    }

    func channelActive(context: ChannelHandlerContext) {
        isOpen = true
        flush()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        let (bytes, ends) = (input.readableBytes, endsSeen)
        // Not of each slice: the headers of many calls may come before their messages.
        defer { isDense = (endsSeen &- ends) * Self.denseBytes >= bytes }
        let size = max(Self.sliceBytes, bytes / Self.slicesPerRead)
        lastRead = .now
        while input.readableBytes > 0, !isLost {
            beginTurn()
            let count = isDense ? min(size, input.readableBytes) : input.readableBytes
            guard let slice = input.readSlice(length: count) else { return }
            receive(slice)
            // The peer gets to work on the first of many calls while we are at the others.
            if input.readableBytes > 0, endsInTurn >= Self.callsPerTurn {
                endTurn()
                flush()
            }
        }
    }

    private func receive(_ slice: ByteBuffer) {
        input = slice
        isReceiving = true
        defer {
            isReceiving = false
            input = emptyBuffer
        }
        do {
            try session.receive(slice.readableBytesSpan, at: lastRead, telling: self)
        } catch {
            isReceiving = false
            fail(Status(.unavailable, error.description), .protocolError)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endTurn()
        flush()
    }

    private func beginTurn() {
        guard !isTurn else { return }
        isTurn = true
        turnBegun = .now()
        endsInTurn = 0
        if let executor, executor.hold() { heldExecutor = executor }
        holdsPosts = holdPosts()
    }

    /// Lets tasks and posts go that were held while bytes were read.
    private func endTurn() {
        guard isTurn else { return }
        isTurn = false
        turnEnds()
        let executor = heldExecutor
        heldExecutor = nil
        executor?.run()
        if holdsPosts { drainPosts() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            framedBytesChanged(to: 0)
            flush()
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lose(Status(.unavailable, "\(error)" + hint))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        lose(Status(.unavailable, "the connection was closed" + hint))
        gone()
    }

    private var hint: String { handshakeTimer == nil ? "" : hintBeforeReady }

    // MARK: Output

    /// How many bytes of frames may wait for the socket: beyond the upper mark no more are made, until
    /// less than the lower one waits.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(
        low: 128 << 10, high: 256 << 10)

    private func setWaterMark(_ context: ChannelHandlerContext) {
        do {
            try context.channel.syncOptions?.setOption(
                .writeBufferWaterMark, value: Self.waterMark)
        } catch {
            // A channel that is closed already.
        }
    }

    /// Tells how many bytes of frames the socket does not take.
    private func noteFramedBytes(_ context: ChannelHandlerContext) {
        guard !context.channel.isWritable, let options = context.channel.syncOptions else { return }
        if let count = try? options.getOption(.bufferedWritableBytes) {
            framedBytesChanged(to: count)
        }
    }

    /// Sends what the session has to say, as far as the socket takes it.
    func flush() {
        guard let context, isOpen, !isFlushing, !isReceiving, !isLost else { return }
        isFlushing = true
        defer { isFlushing = false }
        do {
            // The socket may take all at once and be writable again within `flush`.
            while try writeOutput(context) { context.flush() }
            noteFramedBytes(context)
        } catch {
            lose(Status(.internal, "\(error)"))
            context.close(promise: nil)
            return
        }
        if isSentAway || !session.isAlive { closeAfterOutput(context) }
    }

    /// Hands frames to the channel until it is full or nothing is left; false of none.
    private func writeOutput(_ context: ChannelHandlerContext) throws -> Bool {
        var isWritten = false
        while context.channel.isWritable, session.wantsToWrite {
            guard let output = try nextOutput(context) else { break }
            context.write(wrapOutboundOut(output), promise: nil)
            isWritten = true
        }
        return isWritten
    }

    private func nextOutput(_ context: ChannelHandlerContext) throws -> ByteBuffer? {
        var output = buffers.take()
        try output.writeWithOutputRawSpan(minimumWritableBytes: 64 << 10) { span in
            _ = try session.produce(into: &span, telling: self)
        }
        buffers.keep(output)
        return output.readableBytes > 0 ? output : nil
    }

    final func happened(_ event: Event) {
        switch event {
        case .settings:
            handshakeTimer?.cancel()
            handshakeTimer = nil
            scheduleKeepalive()
            ready()
        case .pingAcknowledged(let payload):
            if payload == awaitedPing { keepaliveAnswered() }
            handle(event, input)
        case .abused(let reason):
            failure = Status(.resourceExhausted, "the peer was sent away: \(reason)")
            isSentAway = true
        case .end:
            endsInTurn += 1
            endsSeen &+= 1
            handle(event, input)
        default: handle(event, input)
        }
    }

    // MARK: Keepalive

    private func scheduleKeepalive() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        keepaliveTimer = loop.scheduleTask(in: .init(keepalive.interval)) {
            bound.value.keepaliveDue()
        }
    }

    private func keepaliveDue() {
        guard !isLost else { return }
        // One that carries no calls can be found dead later: peers dislike to be woken for nothing.
        let isIdle = session.openStreamCount == 0
        let interval = isIdle ? keepalive.idleInterval : keepalive.interval
        guard ContinuousClock.now - lastRead >= interval * 0.9 else {
            return scheduleKeepalive()
        }
        let payload = ping()
        awaitedPing = payload
        let bound = NIOLoopBound(self, eventLoop: loop)
        keepaliveTimer = loop.scheduleTask(in: .init(keepalive.timeout)) {
            bound.value.keepaliveTimedOut(payload)
        }
    }

    private func keepaliveAnswered() {
        awaitedPing = nil
        keepaliveTimer?.cancel()
        scheduleKeepalive()
    }

    private func keepaliveTimedOut(_ payload: UInt64) {
        guard awaitedPing == payload else { return }
        fail(Status(.unavailable, "the peer did not answer a keepalive ping"), .noError)
    }

    /// Sends a PING; its payload comes back in ``Event/pingAcknowledged(_:)``.
    func ping() -> UInt64 {
        let payload = nextPing
        nextPing += 1
        do {
            try session.ping(payload)
            flush()
        } catch {
            fail(Status(.internal, error.description), .internalError)
        }
        return payload
    }

    // MARK: The end

    /// Ends a connection on which nothing is open any more, once the peer has heard all of it.
    func finish() {
        guard !isLost else { return }
        session.terminate(.noError)
        flush()
    }

    /// Closes once the socket took what was written and the peer has closed, too.
    ///
    /// Closing at once would drop what waits for the socket; and closing a socket that holds
    /// unread bytes, such as window updates on their way, would make the kernel send a reset, which
    /// takes from the peer what it has not read yet.
    private func closeAfterOutput(_ context: ChannelHandlerContext) {
        let limit = isSentAway ? Duration.seconds(1) : .seconds(30)
        lose(Status(.unavailable, "the connection was closed"))
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: loop)
        lingerTimer = loop.scheduleTask(in: .init(limit)) { bound.value.close(promise: nil) }
    }

    /// Ends the connection for a reason at once, telling the peer if it still listens.
    func fail(_ status: Status, _ code: ErrorCode) {
        guard !isLost else { return }
        guard !isReceiving else {
            let bound = NIOLoopBound(self, eventLoop: loop)
            return loop.execute { bound.value.fail(status, code) }
        }
        note(failure: status)
        session.terminate(code)
        flush()
        lose(status)
        context?.close(promise: nil)
    }

    /// Keeps why the connection will break, for those whose calls it takes along.
    func note(failure status: Status) {
        failure = failure ?? status
    }

    private func lose(_ status: Status) {
        guard !isLost else { return }
        isLost = true
        handshakeTimer?.cancel()
        keepaliveTimer?.cancel()
        let status = failure ?? status
        failure = status
        lost(status)
        // The channel does not tell that a read is complete once it is closed.
        endTurn()
    }
}

private let emptyBuffer = ByteBuffer()

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let bounded = min(max(seconds, 0), 1_000_000_000)
        self = .nanoseconds(bounded * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
