import HTTP2
import NIOCore
import Synchronization

/// A client's side of a connection: calls become requests, frames become answers.
final class ClientConnectionHandler: ConnectionHandler {
    /// An attempt of a call, with what only the loop needs to know of it.
    private final class Entry {
        let call: ClientCall
        let stream: HTTP2.Stream
        var assembler: MessageAssembler
        var isAnswered = false
        var isEnded = false
        var hasFinishedWriting = false
        /// What the response's headers said was wrong.
        var fault: Status?
        /// The status and metadata of the trailers.
        var outcome: (status: Status, trailers: Metadata)?

        init(_ call: ClientCall, _ stream: HTTP2.Stream) {
            self.call = call
            self.stream = stream
            assembler = MessageAssembler(limit: call.plan.limit)
        }
    }

    /// What becomes of the connection, told once each.
    struct Listeners {
        /// It can carry calls.
        let ready: EventLoopPromise<Void>
        /// It takes no new calls: the peer's GOAWAY, or the end.
        let unusable: EventLoopPromise<Status>
    }

    private let scheme: String
    private let authority: String
    private let maximumHeaderBytes: Int
    private let listeners: Listeners
    /// Weak, since the connection holds this handler; its calls hold the connection.
    private weak var connection: ClientConnection?
    /// How many calls have a stream that is not over.
    private var openCalls = 0
    private var isRetired = false
    private var common: (path: String, headers: HeaderList)?
    private var callLimit = -1
    /// Whether the client has heard that calls were lost with the connection.
    private var hasToldLoss = false

    init(
        _ configuration: ClientConfiguration, keepalive: Keepalive, authority: String,
        loop: any EventLoop, listeners: Listeners
    ) throws {
        scheme = configuration.tls == nil ? "http" : "https"
        self.authority = authority
        maximumHeaderBytes = configuration.maximumHeaderBytes
        self.listeners = listeners
        var limits = SessionLimits()
        limits.headerListBytes = configuration.maximumHeaderBytes
        limits.streamWindowBytes = configuration.streamWindowBytes
        limits.connectionWindowBytes = configuration.connectionWindowBytes
        super.init(
            session: try Session(role: .client, limits: limits), loop: loop,
            keepalive: keepalive, handshakeTimeout: configuration.connectTimeout)
    }

    func attach(_ connection: ClientConnection) {
        self.connection = connection
    }

    override var hintBeforeReady: String {
        guard scheme == "https" else { return "" }
        return " before the server's first frame; a server that does not take our certificate may "
            + "end a connection so"
    }

    override func ready() {
        noteCallLimit()
        listeners.ready.succeed(())
    }

    /// Tells how many calls the server takes now, none where the connection takes no more.
    private func noteCallLimit() {
        let limit = isRetired || isLost ? 0 : session.peerMaximumStreams
        guard limit != callLimit else { return }
        callLimit = limit
        connection?.callLimit.store(limit, ordering: .relaxed)
    }

    // MARK: Requests

    func update(_ calls: [ClientCall]) {
        for call in calls {
            if let entry = entry(of: call) {
                apply(call.takeUpdate(), to: entry)
            } else {
                begin(call)
            }
        }
        flush()
        if isRetired { closeWhenIdle() }
    }

    override var executor: LoopExecutor? { connection?.executor }

    override func holdPosts() -> Bool { connection?.mailbox.hold() == true }

    override func drainPosts() { connection?.mailbox.drain() }

    private func entry(of call: ClientCall) -> Entry? {
        let id = call.streamID.load(ordering: .relaxed)
        guard id != 0, let entry = session.stream(id)?.owner as? Entry, entry.call === call else {
            return nil
        }
        return entry
    }

    private func begin(_ call: ClientCall) {
        let (isOurs, isEnded, attempts) = call.state.withLock { state in
            (state.connection === connection, state.ending != nil, state.attempts)
        }
        guard isOurs else { return }
        if isEnded {
            if let connection { call.attemptEnded(on: connection) }
            connection?.release()
            return
        }
        noteCallLimit()
        // One too many would wait within the session, unseen, where other servers have room.
        guard openCalls < callLimit else { return refuse(call) }
        let plan = call.plan
        let headers = HeaderCodec.request(
            commonHeaders(of: plan.path), timeout: plan.deadline.map { $0 - .now },
            metadata: plan.metadata(attempts: attempts),
            compression: plan.deflater == nil ? nil : .gzip,
            acceptsCompression: plan.acceptsCompression)
        guard headers.listBytes <= HeaderList.longestSent else {
            if let connection { call.attemptEnded(on: connection) }
            connection?.release()
            return call.end(
                Status(
                    .resourceExhausted,
                    "the request's headers have \(headers.listBytes) bytes, and "
                        + "\(HeaderList.longestSent) can be sent; send less metadata"))
        }
        do {
            let entry = Entry(call, try session.request(headers))
            entry.stream.owner = entry
            openCalls += 1
            call.streamID.store(entry.stream.id, ordering: .relaxed)
            apply(call.takeUpdate(), to: entry)
        } catch {
            becomeUnusable(Status(.unavailable, error.description))
            refuse(call)
        }
    }

    /// The headers of a method's requests; kept for the method called last.
    private func commonHeaders(of path: String) -> HeaderList {
        if let common, common.path == path { return common.headers }
        let headers = HeaderCodec.request(path: path, scheme: scheme, authority: authority)
        common = (path, headers)
        return headers
    }

    /// Gives a call back that never left.
    private func refuse(_ call: ClientCall) {
        if let connection { call.attemptEnded(on: connection) }
        let status = failure ?? Status(.unavailable, "the connection takes no new calls")
        call.attemptFailed(status, .unseen, at: connection?.endpoint)
        connection?.release()
    }

    private func apply(_ update: ClientCall.Update, to entry: Entry) {
        guard !entry.isEnded else { return }
        let stream = entry.stream
        session.consume(stream, min(update.credit, stream.unconsumedBytes))
        if let ending = update.ending {
            if ending.code == .deadlineExceeded { note(.deadlineExceeded, of: entry) }
            return giveUp(entry)
        }
        update.chunks.forEach { session.send(stream, $0) }
        guard update.hasFinishedWriting, !entry.hasFinishedWriting else { return }
        entry.hasFinishedWriting = true
        do {
            try session.finish(stream)
        } catch {
            session.reset(stream, .internalError)
        }
    }

    /// The call has ended on our side before the service answered in full.
    private func giveUp(_ entry: Entry) {
        forget(entry)
        session.consume(entry.stream, entry.stream.unconsumedBytes)
        session.reset(entry.stream, .cancel)
    }

    private func forget(_ entry: Entry) {
        guard !entry.isEnded else { return }
        entry.isEnded = true
        openCalls -= 1
        if let connection { entry.call.attemptEnded(on: connection) }
        connection?.release()
    }

    /// Counts how a call ended that the server had.
    private func note(_ code: Status.Code, of entry: Entry) {
        if case .watch = entry.call.plan.role { return }
        connection?.note(code)
    }

    // MARK: Answers

    override func handle(_ event: Event, _ input: ByteBuffer) {
        switch event {
        case .headers(let stream, let block):
            if let entry = stream.owner as? Entry { received(block, for: entry) }
        case .data(let stream, let range): received(stream, input, range)
        case .wrote(let stream):
            let count = stream.takeWrittenBytes()
            if let entry = stream.owner as? Entry, !entry.isEnded { entry.call.wrote(count) }
        case .end(let stream):
            if let entry = stream.owner as? Entry { ended(entry) }
        case .closed(let stream, let code):
            if let entry = stream.owner as? Entry { closed(entry, code) }
        case .goAway(_, let code, let message):
            let reason = message.isEmpty ? "\(code)" : message
            let status = Status(.unavailable, "the server is going away: \(reason)")
            // Calls that are lost with the connection are told why.
            if code != .noError { note(failure: status) }
            becomeUnusable(status)
        default: break
        }
    }

    private func received(_ block: HeaderBlock, for entry: Entry) {
        guard !entry.isEnded else { return }
        let fields = block.fields
        if block.isTruncated {
            entry.fault = Status(
                .resourceExhausted,
                "the answer's headers exceed the limit of \(maximumHeaderBytes) bytes; raise "
                    + "ClientConfiguration.maximumHeaderBytes")
        }
        if block.endsStream {
            let status = HeaderCodec.status(of: fields) ?? Self.httpFault(fields)
            entry.outcome = (
                status ?? Status(.internal, "the server sent trailers without a status"),
                HeaderCodec.metadata(of: fields)
            )
            return
        }
        // An interim answer (1xx) precedes the real one.
        if fields.firstBytes(.status)?.first == UInt8(ascii: "1") {
            return session.noteInterimAnswer()
        }
        if let fault = Self.httpFault(fields) { entry.fault = fault }
        if let isCompressed = HeaderCodec.isCompressed(fields) {
            entry.assembler.keepsFlags = isCompressed
        } else {
            entry.fault = Status(.internal, "the server compresses in a way we do not know")
        }
        entry.isAnswered = true
        entry.call.received(
            headers: HeaderCodec.metadata(of: fields), isCompressed: entry.assembler.keepsFlags)
    }

    /// What is wrong with headers that are not those of gRPC.
    private static func httpFault(_ fields: HeaderList) -> Status? {
        if fields.isFirst(.status, "200"),
            fields.isFirst(.contentType, "application/grpc", orPrefix: true)
        {
            return nil
        }
        guard let text = fields.first(.status), let number = Int(text) else { return nil }
        let type = fields.first(.contentType) ?? "none"
        guard number == 200, type.hasPrefix("application/grpc") else {
            return Status(
                number == 200 ? .unknown : StatusMapping.code(ofHTTP: number),
                "the server answered HTTP \(number), content-type \(type); it is not gRPC")
        }
        return nil
    }

    private func received(_ stream: HTTP2.Stream, _ input: ByteBuffer, _ range: Range<Int>) {
        guard let entry = stream.owner as? Entry, !entry.isEnded, entry.fault == nil else {
            return session.consume(stream, stream.unconsumedBytes)
        }
        var messages = ShortQueue<[UInt8]>()
        do {
            try entry.assembler.feed(
                input, from: input.readerIndex + range.lowerBound, count: range.count
            ) { messages.append($0) }
        } catch {
            giveUp(entry)
            return entry.call.end(error)
        }
        entry.call.plan.counters.countReceived(messages: messages.count, bytes: range.count)
        let flagBytes = entry.assembler.keepsFlags ? messages.count : 0
        let credit = entry.call.received(messages, bytes: range.count + flagBytes)
        session.consume(stream, min(credit, stream.unconsumedBytes))
    }

    /// The service has said all it will say: what we have not sent is of no use to it.
    private func ended(_ entry: Entry) {
        guard !entry.isEnded else { return }
        conclude(entry, .noError)
        if !entry.hasFinishedWriting || entry.stream.queuedBytes > 0 {
            session.consume(entry.stream, entry.stream.unconsumedBytes)
            session.reset(entry.stream, .noError)
        }
    }

    private func closed(_ entry: Entry, _ code: ErrorCode) {
        entry.stream.owner = nil
        if !entry.isEnded { conclude(entry, code) }
    }

    /// Tells the call how its attempt ended.
    private func conclude(_ entry: Entry, _ code: ErrorCode) {
        forget(entry)
        let call = entry.call
        if let fault = entry.fault {
            let status = entry.outcome.flatMap { $0.status.code == .ok ? nil : $0.status } ?? fault
            note(status.code, of: entry)
            call.end(status)
        } else if let (status, trailers) = entry.outcome {
            let isCut = status.code == .ok && !entry.assembler.isBetweenMessages
            let status =
                isCut ? Status(.internal, "the answer ended in the middle of a message") : status
            note(status.code, of: entry)
            call.received(
                status, trailers: trailers, wasAnswered: entry.isAnswered,
                at: connection?.endpoint)
        } else if isLost {
            let isFirst = !hasToldLoss && entry.stream.wasSent
            hasToldLoss = hasToldLoss || isFirst
            call.attemptFailed(
                failure ?? Status(.unavailable, "the connection was lost"),
                entry.stream.wasSent ? .lost(isFirst: isFirst) : .unseen,
                at: connection?.endpoint)
        } else {
            let isUnseen = code == .refusedStream || !entry.stream.wasSent
            let status = StatusMapping.status(ofReset: code)
            if !isUnseen { note(status.code, of: entry) }
            call.attemptFailed(
                status, isUnseen ? .unseen : .answered(nil), at: connection?.endpoint)
        }
        if isRetired { closeWhenIdle() }
    }

    // MARK: The end

    private func becomeUnusable(_ status: Status) {
        listeners.unusable.succeed(status)
        retire()
    }

    func retire() {
        isRetired = true
        noteCallLimit()
        listeners.unusable.succeed(Status(.unavailable, "the connection was retired"))
        closeWhenIdle()
    }

    private func closeWhenIdle() {
        guard openCalls == 0, !isLost else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        // Not from within the session's events: ending it here would cut their frames off.
        loop.execute {
            guard bound.value.openCalls == 0 else { return }
            bound.value.fail(Status(.unavailable, "the connection was retired"), .noError)
        }
    }

    override func lost(_ status: Status) {
        noteCallLimit()
        for stream in session.openStreams {
            if let entry = stream.owner as? Entry { closed(entry, .refusedStream) }
        }
        listeners.ready.fail(status)
        listeners.unusable.succeed(status)
    }
}
