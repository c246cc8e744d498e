import HTTP2
import NIOCore
import TLS

/// A server's side of a connection: requests become calls, answers become frames.
final class ServerConnectionHandler: ConnectionHandler {
    typealias Entry = ServerStreamEntry

    private var routes: RouteCache
    let configuration: ServerConfiguration
    private let bounds: ServerCall.Bounds
    private let deadlines: DeadlineTimer
    private var mailbox: Mailbox<ServerCall>?
    private weak var connection: ServerConnection?
    private let peerAddress: String
    var peer: Peer?
    private var lifetime: ConnectionLifetime?
    private let load: ServerLoad
    let memory: ConnectionMemory
    var memoryTimer: Scheduled<Void>?
    /// What of ``memory`` is frames that the socket has not taken.
    private var framedBytes = 0
    /// Since when streams that were ended for want of memory have not closed.
    var evictedSince: ContinuousClock.Instant?
    /// Calls begun in this turn of the loop.
    private var begun: [ServerCall] = []
    private var drainPing: UInt64?
    private var isDraining = false

    /// - Parameter peer: where the connection comes from.
    init(
        _ router: Router, _ configuration: ServerConfiguration, _ load: ServerLoad, peer: String,
        loop: any EventLoop
    ) throws {
        routes = RouteCache(router)
        self.configuration = configuration
        bounds = ServerCall.Bounds(configuration)
        self.load = load
        memory = ConnectionMemory(
            configuration.memory, limitBytes: configuration.connectionMemoryBytes)
        peerAddress = peer
        deadlines = DeadlineTimer(loop)
        super.init(
            session: try Session(role: .server, limits: configuration.sessionLimits), loop: loop,
            keepalive: configuration.keepalive,
            handshakeTimeout: configuration.handshakeTimeout)
    }

    /// The mailbox holds this handler until the connection is ``gone()``.
    func attach(_ connection: ServerConnection) {
        self.connection = connection
        let bound = NIOLoopBound(self, eventLoop: loop)
        mailbox = Mailbox(loop) { calls in bound.value.update(calls) }
    }

    override func ready() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        lifetime = ConnectionLifetime(configuration, loop: loop) { request in
            switch request {
            case .drain: bound.value.drain()
            case .end(let status): bound.value.fail(status, .noError)
            }
        }
    }

    // MARK: Requests

    override func handle(_ event: Event, _ input: ByteBuffer) {
        switch event {
        case .headers(let stream, let block):
            // A second block holds trailers, which requests of gRPC do not have.
            if stream.owner == nil { begin(stream, block) }
        case .data(let stream, let range): received(stream, input, range)
        case .end(let stream): ended(stream)
        case .wrote(let stream):
            let count = stream.takeWrittenBytes()
            if let entry = stream.owner as? Entry {
                entry.movedBytes &+= count
                if !entry.isFinished || entry.call.holdsMemory { entry.call.wrote(count) }
            }
        case .closed(let stream, let code): closed(stream, code)
        case .pingAcknowledged(let payload):
            if payload == drainPing { finishDraining() }
        default: break
        }
    }

    override var executor: LoopExecutor? { connection?.executor }

    override func holdPosts() -> Bool { mailbox?.hold() == true }

    override func drainPosts() { mailbox?.drain() }

    override func turnEnds() { startCalls() }

    private func startCalls() {
        guard !begun.isEmpty else { return }
        connection?.start(begun)
        begun.removeAll(keepingCapacity: true)
    }

    private func begin(_ stream: HTTP2.Stream, _ block: HeaderBlock) {
        let headers = block.fields
        guard !block.isTruncated else {
            return refuse(
                stream,
                Status(
                    .resourceExhausted,
                    "the request's headers exceed the limit of "
                        + "\(configuration.maximumHeaderBytes) bytes; send less metadata or raise "
                        + "ServerConfiguration.maximumHeaderBytes"))
        }
        guard headers.isFirst(.method, "POST"),
            headers.isFirst(.contentType, "application/grpc", orPrefix: true)
        else {
            return answer(
                stream,
                HeaderList([
                    (":status", "415"), ("content-type", "text/plain"),
                    ("grpc-status", "3"), ("grpc-message", "POST application/grpc is expected"),
                ]))
        }
        guard let isCompressed = HeaderCodec.isCompressed(headers) else {
            return answer(stream, HeaderCodec.unknownEncoding(of: headers))
        }
        guard let route = routes.route(of: headers) else {
            let path = headers.first(.path) ?? ""
            return refuse(stream, Status(.unimplemented, "no handler answers \(path)"))
        }
        if let refusal = load.refusal(of: route, memory) {
            route.counters.countRefusal(refusal.status.code)
            return refuse(stream, refusal.status, refusal.trailers)
        }
        open(stream, route, headers, isCompressed: isCompressed)
    }

    private func open(
        _ stream: HTTP2.Stream, _ route: Route, _ headers: HeaderList,
        isCompressed: Bool
    ) {
        guard let mailbox else { return }
        let timeout = headers.firstBytes(.grpcTimeout).flatMap(TimeoutCodec.decode)
        let deadline = timeout.map { lastRead + $0 }
        let call = ServerCall(
            route: route, streamID: stream.id, metadata: HeaderCodec.metadata(of: headers),
            deadline: deadline, peer: describePeer(), mailbox: mailbox, memory: memory,
            inflater: isCompressed ? MessageInflater(limit: route.limit) : nil,
            deflater: configuration.deflater(for: headers), bounds: bounds,
            begun: turnBegun)
        route.counters.countStart()
        let entry = Entry(call, stream, limit: route.limit)
        entry.assembler.keepsFlags = isCompressed
        stream.owner = entry
        lifetime?.callBegan()
        if let deadline { deadlines.insert(call, at: deadline) }
        // A call with one request message starts when that is complete.
        if route.kind.streamsRequests { begun.append(call) }
    }

    private func describePeer() -> Peer {
        if let peer { return peer }
        let identity = context.flatMap { context in
            try? context.pipeline.syncOperations.handler(type: TLSHandler.self).peerIdentity
        }
        let peer = Peer(address: peerAddress, identity: identity)
        self.peer = peer
        return peer
    }

    private func received(_ stream: HTTP2.Stream, _ input: ByteBuffer, _ range: Range<Int>) {
        guard let entry = stream.owner as? Entry, !entry.isFinished else {
            return takeAll(stream)
        }
        entry.movedBytes &+= range.count
        var messages = ShortQueue<[UInt8]>()
        do {
            try entry.assembler.feed(
                input, from: input.readerIndex + range.lowerBound, count: range.count
            ) { messages.append($0) }
        } catch {
            entry.call.abandon(error)
            return takeAll(stream)
        }
        entry.call.route.counters.countReceived(messages: messages.count, bytes: range.count)
        let credit = entry.call.received(
            messages, bytes: range.count + entry.call.flagBytes(messages.count), isLast: false)
        giveBack(credit, of: entry)
    }

    /// Gives everything back that a stream has received: nobody reads it any more.
    private func takeAll(_ stream: HTTP2.Stream) {
        (stream.owner as? Entry)?.withheldBytes = 0
        session.consume(stream, stream.unconsumedBytes)
    }

    private func ended(_ stream: HTTP2.Stream) {
        guard let entry = stream.owner as? Entry, !entry.isFinished else { return }
        guard entry.assembler.isBetweenMessages else {
            return entry.call.abandon(
                Status(.internal, "the request ended in the middle of a message"))
        }
        _ = entry.call.received(ShortQueue(), bytes: 0, isLast: true)
        if !entry.call.route.kind.streamsRequests { begun.append(entry.call) }
    }

    private func closed(_ stream: HTTP2.Stream, _ code: ErrorCode) {
        guard let entry = stream.owner as? Entry else { return }
        stream.owner = nil
        lifetime?.callEnded()
        if entry.call.hasDeadline { deadlines.remove(entry.call) }
        if !entry.isFinished {
            entry.isFinished = true
            entry.call.abandon(Status(.cancelled, "the caller gave up (\(code))"))
            countEnd(of: entry.call)
        }
        entry.call.releaseMemory()
        if isDraining, drainPing == nil, session.openStreamCount == 0 { finishClosing() }
    }

    // MARK: Answers

    private func refuse(
        _ stream: HTTP2.Stream, _ status: Status, _ trailers: Metadata = Metadata()
    ) {
        answer(stream, HeaderCodec.trailersOnly(status, trailers))
    }

    private func answer(_ stream: HTTP2.Stream, _ headers: HeaderList) {
        session.consume(stream, stream.unconsumedBytes)
        do {
            try session.respond(stream, headers, endsStream: true)
        } catch {
            session.reset(stream, .internalError)
        }
    }

    private func update(_ calls: [ServerCall]) {
        let now = NIODeadline.now()
        for call in calls {
            guard let entry = session.stream(call.streamID)?.owner as? Entry,
                entry.call === call
            else { continue }
            do {
                try apply(call.takeUpdate(), to: entry, at: now)
            } catch {
                session.reset(entry.stream, .internalError)
            }
        }
        startCalls()
        flush()
    }

    private func apply(
        _ update: ServerCall.Update, to entry: Entry, at now: NIODeadline
    ) throws {
        guard !entry.isFinished else { return }
        giveBack(update.credit, of: entry)
        if update.waitsForMemory { watchMemory() }
        if !entry.hasHeaders, !update.chunks.isEmpty || update.headers != nil {
            entry.hasHeaders = true
            try session.respond(
                entry.stream,
                HeaderCodec.response(
                    with: update.headers, isCompressed: entry.call.deflater != nil))
        }
        update.chunks.forEach { session.send(entry.stream, $0) }
        if session.isGreedy(entry.stream) { session.takeTurns(entry.stream) }
        guard let (status, trailers) = update.ending else { return }
        entry.isFinished = true
        takeAll(entry.stream)
        entry.assembler.drop()
        if entry.hasHeaders {
            try session.finish(entry.stream, trailers: HeaderCodec.trailers(status, trailers))
        } else {
            try session.respond(
                entry.stream, HeaderCodec.trailersOnly(status, trailers), endsStream: true)
        }
        entry.call.countEnd(status, at: now, configuration.observer)
    }

    func countEnd(of call: ServerCall) {
        call.countEnd(call.ending ?? .ok, at: .now(), configuration.observer)
    }

    // MARK: The end

    /// Announces the end, waits a round trip for calls on their way, then takes no more.
    func drain() {
        guard !isDraining, !isLost else { return }
        isDraining = true
        do {
            try session.announceShutdown()
        } catch {
            return fail(Status(.internal, error.description), .internalError)
        }
        drainPing = ping()
        // A peer that does not answer is not waited for.
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: .seconds(2)) { bound.value.finishDraining() }
    }

    private func finishDraining() {
        guard drainPing != nil, !isLost else { return }
        drainPing = nil
        do {
            try session.goAway()
        } catch {
            return fail(Status(.internal, error.description), .internalError)
        }
        flush()
        if session.openStreamCount == 0 { finishClosing() }
    }

    private func finishClosing() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        // Not from within the session's events: ending it here would cut their frames off.
        loop.execute {
            bound.value.finish()
        }
    }

    override func lost(_ status: Status) {
        lifetime?.stop()
        memoryTimer?.cancel()
        for stream in session.openStreams {
            guard let entry = stream.owner as? Entry else { continue }
            if entry.call.hasDeadline { deadlines.remove(entry.call) }
            entry.stream.owner = nil
            // An answer that was complete may still have waited to be sent.
            defer { entry.call.releaseMemory() }
            guard !entry.isFinished else { continue }
            entry.isFinished = true
            entry.call.abandon(Status(.cancelled, "the connection was lost: \(status.message)"))
            countEnd(of: entry.call)
        }
        startCalls()
    }

    override func framedBytesChanged(to count: Int) {
        memory.add(count - framedBytes)
        framedBytes = count
    }

    override func gone() {
        framedBytesChanged(to: 0)
        // Both hold this handler.
        mailbox = nil
        lifetime = nil
        connection?.closed()
    }
}
