import HTTP2
import NIOCore
import Synchronization
import Wire

/// One call on a server, between the task that answers it and the loop that carries it.
///
/// ```
/// open ──the handler returns or throws──▶ ended ──the loop sent the trailers──▶ (stream closed)
///   └───the deadline passes; the peer resets or vanishes──▶ ended, the handler's task cancelled
/// ```
final class ServerCall: MessageSource, MessageSink, Expiring {
    struct State {
        var inbound = InboundHalf()
        var outbound: OutboundHalf
        var headers: Metadata?
        var trailers = Metadata()
        /// How the call ended; readers and writers get it from then on.
        var ending: Status?
        var isPosted = false
        /// Whether a writer waits until the connection's memory has room.
        var waitsForMemory = false
    }

    /// What the loop has to do for the call.
    struct Update {
        var chunks: ShortQueue<Chunk>
        var credit: Int
        var headers: Metadata?
        var ending: (status: Status, trailers: Metadata)?
        var waitsForMemory: Bool
    }

    /// What all calls of a connection have in common.
    struct Bounds {
        /// How many bytes a handler takes before the caller is told that it may send as many more.
        let creditBytes: Int
        /// How many bytes wait for the loop before a writer waits for it.
        let writeBytes: Int

        init(_ configuration: ServerConfiguration) {
            creditBytes = configuration.streamWindowBytes / 4
            writeBytes = configuration.writeBufferBytes
        }
    }

    let route: Route
    let streamID: Int32
    let metadata: Metadata
    let deadline: ContinuousClock.Instant?
    let peer: Peer
    /// Whether it has a deadline; to ask the deadline itself costs more.
    let hasDeadline: Bool
    /// When its headers came.
    let begun: NIODeadline
    /// Expands requests; nil where they are not compressed.
    let inflater: MessageInflater?
    /// Compresses answers; nil where they stay as they are.
    let deflater: MessageDeflater?
    private let mailbox: Mailbox<ServerCall>
    let memory: ConnectionMemory
    /// What `memory` knows of the bytes this call is to send.
    let countedBytes = Atomic<Int>(0)
    private let creditThreshold: Int
    /// Whether the only answer has ended the call; written and read by the handler's task.
    private let isAnswered = Atomic(false)
    private let task = CallTask()
    let state: Mutex<State>

    init(
        route: Route, streamID: Int32, metadata: Metadata, deadline: ContinuousClock.Instant?,
        peer: Peer, mailbox: Mailbox<ServerCall>, memory: ConnectionMemory,
        inflater: MessageInflater?, deflater: MessageDeflater?, bounds: Bounds,
        begun: NIODeadline = .now()
    ) {
        self.route = route
        self.streamID = streamID
        self.metadata = metadata
        self.deadline = deadline
        hasDeadline = deadline != nil
        self.begun = begun
        self.peer = peer
        self.mailbox = mailbox
        self.inflater = inflater
        self.deflater = deflater
        self.memory = memory
        creditThreshold = bounds.creditBytes
        state = Mutex(State(outbound: OutboundHalf(limit: bounds.writeBytes)))
    }

    // MARK: The handler's side

    /// Answers the call; runs in a worker's task.
    func run() async {
        task.begin()
        do {
            let context = CallContext(of: self)
            if metadata.isRepetition {
                try await CallContext.$answersRetry.withValue(true) {
                    try await CallContext.$inheritedDeadline.withValue(deadline) {
                        try await route.body(self, context)
                    }
                }
            } else if hasDeadline {
                try await CallContext.$inheritedDeadline.withValue(deadline) {
                    try await route.body(self, context)
                }
            } else {
                try await route.body(self, context)
            }
            if !isAnswered.load(ordering: .relaxed) { end(.ok) }
        } catch {
            end(outcome(of: error))
        }
        if !task.end() { await task.cancellation() }
    }

    /// What the caller is told of an error that the handler threw.
    ///
    /// A call that its caller or its deadline gave up has ended before its task was cancelled. Where
    /// it has not, the server is stopping, and the caller may well ask another.
    private func outcome(of error: any Error) -> Status {
        let status = Status(describing: error)
        guard status.code == .cancelled, Task.isCancelled else { return status }
        return Status(.unavailable, "the server stopped before \(route.path) was done")
    }

    func nextMessage() async throws -> [UInt8]? {
        while true {
            let (message, isOver) = try takeMessage()
            if message != nil || isOver { return message }
            try Task.checkCancellation()
            await sleep(reading: true)
        }
    }

    /// The next message if it is here already.
    func readyMessage() throws -> [UInt8]? { try takeMessage().message }

    private func takeMessage() throws -> (message: [UInt8]?, isOver: Bool) {
        let (news, change) = try state.withLock { state in
            (try state.nextMessage(threshold: creditThreshold), countInbound(&state))
        }
        memory.add(change)
        if news.mustPost { mailbox.post(self) }
        if let message = news.message, let inflater { return (try inflater.open(message), false) }
        return (news.message, news.isOver)
    }

    /// Sends the only answer and ends the call well; false where that has to wait for memory.
    func answerAtOnce(_ message: [UInt8]) throws -> Bool {
        guard !memory.isShort else { return false }
        let (flag, message) = try deflater?.close(message) ?? (0, message)
        let (news, change) = try state.withLock { state in
            if let ending = state.ending { throw ending }
            state.outbound.append(message, flag: flag)
            let news = state.end(.ok)
            return (news, countOutbound(&state) + countInbound(&state))
        }
        isAnswered.store(true, ordering: .relaxed)
        memory.add(change)
        route.counters.countSent(bytes: MessageAssembler.prefixBytes + message.count)
        news.waiters.wakeAll()
        if news.mustPost { mailbox.post(self) }
        return true
    }

    func write(_ message: [UInt8]) async throws {
        let (flag, message) = try deflater?.close(message) ?? (0, message)
        if memory.isShort { try await waitForMemory() }
        let (mustPost, isFull, change) = try state.withLock { state in
            if let ending = state.ending { throw ending }
            state.outbound.append(message, flag: flag)
            return (state.post(), state.outbound.isFull, countOutbound(&state))
        }
        memory.add(change)
        route.counters.countSent(bytes: MessageAssembler.prefixBytes + message.count)
        if mustPost { mailbox.post(self) }
        guard isFull else { return }
        while try state.withLock({ try $0.isStillFull() }) {
            try Task.checkCancellation()
            await sleep(reading: false)
        }
    }

    func sendHeaders(_ metadata: Metadata) {
        guard mayBeSent(metadata, "headers") else { return }
        let mustPost = state.withLock { state in
            state.headers = metadata
            return state.post()
        }
        if mustPost { mailbox.post(self) }
    }

    func setTrailers(_ metadata: Metadata) {
        guard mayBeSent(metadata, "trailers") else { return }
        state.withLock { $0.trailers = metadata }
    }

    /// Whether metadata fits into what HTTP/2 can send at once; else it ends the call, whose caller
    /// would miss it.
    private func mayBeSent(_ metadata: Metadata, _ name: String) -> Bool {
        let limit = HeaderList.longestSent - (8 << 10)
        guard metadata.listBytes > limit else { return true }
        end(
            Status(
                .internal,
                "\(name) of \(metadata.listBytes) bytes were given to \(route.path), which can send "
                    + "\(limit)"))
        return false
    }

    /// Waits until the loop has news for a reader or a writer, or its task is cancelled.
    private func sleep(reading: Bool) async {
        await withTaskCancellationHandler {
            await Sleeper.sleep { sleeper in
                state.withLock { $0.addWaiter(sleeper, reading: reading) }
            }
        } onCancel: {
            let waiters = state.withLock { state in
                state.inbound.readers.interrupt() + state.outbound.writers.interrupt()
            }
            waiters.wakeAll()
        }
    }

    /// Tells the loop that there is something to do.
    func post() { mailbox.post(self) }

    // MARK: Endings

    /// Ends the call with what the peer is to be told; later endings are without effect.
    func end(_ status: Status) {
        let (news, change) = state.withLock { state in
            (state.end(status), countInbound(&state))
        }
        memory.add(change)
        news.waiters.wakeAll()
        if news.mustPost { mailbox.post(self) }
    }

    /// Ends the call from without, and with it the handler's task.
    func abandon(_ status: Status) {
        end(status)
        task.cancel()
    }

    package func deadlineReached() {
        abandon(Status(.deadlineExceeded, "the deadline passed before \(route.path) was done"))
    }

    // MARK: The loop's side

    /// The bytes by which messages are longer here than they were on their way: a flag each, where
    /// they may be compressed.
    func flagBytes(_ count: Int) -> Int { inflater == nil ? 0 : count }

    /// Hands over a message and the bytes it came in.
    func received(_ messages: ShortQueue<[UInt8]>, bytes: Int, isLast: Bool) -> Int {
        let (waiters, credit, change) = state.withLock { state in
            state.inbound.noteReceived(bytes)
            guard state.ending == nil else {
                return (Sleepers(), state.takeAllCredit(), 0)
            }
            messages.forEach { state.inbound.append($0) }
            if isLast { state.inbound.finish() }
            let hasNews = isLast || !messages.isEmpty
            let waiters = hasNews ? state.inbound.readers.takeAll() : Sleepers()
            return (waiters, state.inbound.takeCredit(), countInbound(&state))
        }
        memory.add(change)
        waiters.wakeAll()
        return credit
    }

    func wrote(_ count: Int) {
        let (sleepers, change) = state.withLock { state in
            (state.outbound.noteWritten(count), countOutbound(&state))
        }
        memory.add(change)
        sleepers.wakeAll()
    }

    /// What is to be done since the last time.
    func takeUpdate() -> Update {
        state.withLock { state in
            state.isPosted = false
            defer {
                state.outbound.chunks = ShortQueue()
                state.headers = nil
                state.waitsForMemory = false
            }
            return Update(
                chunks: state.outbound.chunks, credit: state.inbound.takeCredit(),
                headers: state.headers, ending: state.ending.map { ($0, state.trailers) },
                waitsForMemory: state.waitsForMemory)
        }
    }

    var ending: Status? { state.withLock { $0.ending } }

    /// Counts the call's end, and tells the observer.
    func countEnd(_ status: Status, at now: NIODeadline, _ observer: (any CallObserver)?) {
        let nanoseconds = Int((now - begun).nanoseconds)
        route.counters.countEnd(status.code, nanoseconds: nanoseconds)
        observer?.callEnded(
            CallSummary(
                method: route.path, peer: peer, status: status,
                duration: .nanoseconds(nanoseconds)))
    }
}

extension ServerCall.State {
    /// Whether the loop must be told that there is something to do.
    mutating func post() -> Bool {
        defer { isPosted = true }
        return !isPosted
    }

    mutating func nextMessage(
        threshold: Int
    ) throws -> (message: [UInt8]?, isOver: Bool, mustPost: Bool) {
        if let ending { throw ending }
        let message = inbound.takeMessage()
        let isOver = message == nil && inbound.isFinished
        let due = inbound.creditDue
        let isDue = message == nil ? due > 0 : due >= threshold
        return (message, isOver, isDue && !isOver ? post() : false)
    }

    func isStillFull() throws -> Bool {
        if let ending { throw ending }
        return outbound.isFull
    }

    /// False where the waiter need not wait.
    mutating func addWaiter(_ sleeper: Sleeper, reading: Bool) -> Bool {
        guard ending == nil else { return false }
        if reading {
            guard !inbound.hasMessage, !inbound.isFinished else { return false }
            return inbound.readers.add(sleeper)
        }
        return outbound.isFull && outbound.writers.add(sleeper)
    }

    mutating func end(_ status: Status) -> (waiters: Sleepers, mustPost: Bool) {
        guard ending == nil else { return (Sleepers(), false) }
        ending = status
        inbound.dropAll()
        return (inbound.readers.takeAll() + outbound.writers.takeAll(), post())
    }

    mutating func takeAllCredit() -> Int {
        inbound.dropAll()
        return inbound.takeCredit()
    }
}
