import HTTP2
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

    let route: Route
    let streamID: Int32
    let metadata: Metadata
    let deadline: ContinuousClock.Instant?
    let peer: Peer
    let begun = ContinuousClock.now
    /// Expands requests; nil where they are not compressed.
    let inflater: MessageInflater?
    /// Compresses answers; nil where they stay as they are.
    let deflater: MessageDeflater?
    private let mailbox: Mailbox<ServerCall>
    let memory: ConnectionMemory
    /// What `memory` knows of the bytes this call is to send.
    let countedBytes = Atomic<Int>(0)
    private let creditThreshold: Int
    private let task = CallTask()
    let state: Mutex<State>

    init(
        route: Route, streamID: Int32, metadata: Metadata, deadline: ContinuousClock.Instant?,
        peer: Peer, mailbox: Mailbox<ServerCall>, memory: ConnectionMemory,
        inflater: MessageInflater?, deflater: MessageDeflater?, configuration: ServerConfiguration
    ) {
        self.route = route
        self.streamID = streamID
        self.metadata = metadata
        self.deadline = deadline
        self.peer = peer
        self.mailbox = mailbox
        self.inflater = inflater
        self.deflater = deflater
        self.memory = memory
        creditThreshold = configuration.streamWindowBytes / 4
        state = Mutex(State(outbound: OutboundHalf(limit: configuration.writeBufferBytes)))
    }

    // MARK: The handler's side

    /// Answers the call; runs in a worker's task.
    func run() async {
        await task.run {
            do {
                let context = CallContext(
                    method: route.path, metadata: metadata, deadline: deadline, peer: peer,
                    call: self)
                if metadata.isRepetition {
                    try await CallContext.$answersRetry.withValue(true) {
                        try await CallContext.$inheritedDeadline.withValue(deadline) {
                            try await route.body(self, context)
                        }
                    }
                } else if let deadline {
                    try await CallContext.$inheritedDeadline.withValue(deadline) {
                        try await route.body(self, context)
                    }
                } else {
                    try await route.body(self, context)
                }
                end(.ok)
            } catch {
                end(Status(describing: error))
            }
        }
    }

    func nextMessage() async throws -> [UInt8]? {
        while true {
            let (news, change) = try state.withLock { state in
                (try state.nextMessage(threshold: creditThreshold), countInbound(&state))
            }
            memory.add(change)
            if news.mustPost { mailbox.post(self) }
            if let message = news.message, let inflater { return try inflater.open(message) }
            if news.message != nil || news.isOver { return news.message }
            try Task.checkCancellation()
            await sleep(reading: true)
        }
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
        let mustPost = state.withLock { state in
            state.headers = metadata
            return state.post()
        }
        if mustPost { mailbox.post(self) }
    }

    func setTrailers(_ metadata: Metadata) {
        state.withLock { $0.trailers = metadata }
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
