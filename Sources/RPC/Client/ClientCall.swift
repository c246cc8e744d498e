import HTTP2
import Synchronization
import Wire

/// One call of a client, across all its attempts.
///
/// ```
/// waiting ──a connection is chosen──▶ attempting ──trailers, reset, loss──▶ ended
///    ▲                                    │
///    └──never processed, or unavailable and idempotent: the requests are sent again
/// any ──the deadline passes, the task is cancelled──▶ ended
/// ```
/// What was written is kept until the service answers, so that another attempt can send it again.
final class ClientCall: MessageSink, Expiring {
    /// What of a call does not change.
    struct Plan: Sendable {
        let path: String
        let kind: CallKind
        let policy: PolicyTable.Policy
        let isIdempotent: Bool
        let waitsForReady: Bool
        let metadata: Metadata
        let deadline: ContinuousClock.Instant?
        let limit: MessageLimit
        let counters: MethodCounters
        var begun: ContinuousClock.Instant
        /// The hash of what the call belongs to.
        var affinity: UInt64?
        /// Whether the call is made on behalf of one that is itself a repetition.
        var answersRetry = false
        var role = Role.whole
        /// Compresses requests; nil for most calls.
        var deflater: MessageDeflater?
        var acceptsCompression = false
        /// What interceptors do to the messages; nil for most calls.
        var transforms: MessageTransforms?
    }

    /// What a call of the wire is for.
    enum Role: Sendable {
        case whole
        /// One of several attempts that run at once, after so many others.
        case hedge(previous: Int)
        /// A watch of a connection's server, bound to that connection.
        case watch
    }

    struct State {
        var inbound = InboundHalf()
        var outbound: OutboundHalf
        /// What was written, as long as it may have to be sent again.
        var history = ShortQueue<Chunk>()
        var historyBytes = 0
        /// What of it the client has counted.
        var countedBytes = 0
        var mayRepeat = true
        var hasFinishedWriting = false
        var connection: ClientConnection?
        var headers: Metadata?
        /// Whether the answers' headers say that they may be compressed.
        var isCompressed = false
        var trailers = Metadata()
        var ending: Status?
        var isPosted = false
        /// Attempts that may have been processed.
        var attempts = 1
        /// Attempts that no server has seen.
        var unseenAttempts = 0
        var peer = Peer(address: "none")
        /// Which server it was given to; known of hedges alone.
        var endpoint: ClientEndpoint?
        /// Whether its failure counts for the throttle already, or with another's.
        var isCounted = false
    }

    /// What the loop has to do for the call.
    struct Update {
        var chunks: ShortQueue<Chunk>
        var credit: Int
        var hasFinishedWriting: Bool
        var ending: Status?
    }

    let plan: Plan
    /// The stream of the attempt under way, 0 before it has one; set by its loop.
    let streamID = Atomic<Int32>(0)
    let core: ClientCore
    private let creditThreshold: Int
    let state: Mutex<State>

    init(_ plan: Plan, core: ClientCore) {
        self.plan = plan
        self.core = core
        creditThreshold = core.configuration.streamWindowBytes / 4
        state = Mutex(State(outbound: OutboundHalf(limit: core.configuration.writeBufferBytes)))
    }

    // MARK: The caller's side

    func nextMessage() async throws -> [UInt8]? {
        while true {
            let (message, isOver, poster, isCompressed) = try state.withLock { state in
                let (message, isOver, poster) = try state.nextMessage(threshold: creditThreshold)
                return (message, isOver, poster, state.isCompressed)
            }
            poster?.mailbox.post(self)
            if let message, isCompressed {
                return try MessageInflater(limit: plan.limit).open(message)
            }
            if message != nil || isOver { return message }
            try checkCancellation()
            await sleep {
                !$0.inbound.hasMessage && $0.ending == nil
            } add: {
                $0.inbound.readers.add($1)
            }
        }
    }

    /// The one answer of a call whose service sends exactly one.
    ///
    /// Only for the task that made the call: its cancellation ends the call, which wakes it.
    func onlyMessage<Message: WireMessage>(as type: Message.Type) async throws -> Message {
        while state.withLock({ $0.ending == nil }) {
            await Sleeper.sleep { sleeper in
                state.withLock { $0.ending == nil && $0.inbound.readers.add(sleeper) }
            }
        }
        guard let bytes = try await nextMessage() else {
            throw Status(.internal, "\(plan.path) succeeded without an answer")
        }
        guard try await nextMessage() == nil else {
            throw Status(.internal, "\(plan.path) answered more than once")
        }
        return try decode(bytes)
    }

    func headers() async throws -> Metadata {
        while true {
            let headers = try state.withLock { state in
                if let headers = state.headers { return headers as Metadata? }
                if let ending = state.ending {
                    guard ending.code == .ok else { throw ending }
                    return Metadata()
                }
                return nil
            }
            if let headers { return headers }
            try checkCancellation()
            await sleep {
                $0.headers == nil && $0.ending == nil
            } add: {
                $0.inbound.readers.add($1)
            }
        }
    }

    var trailers: Metadata { state.withLock { $0.trailers } }

    func write(_ message: [UInt8]) async throws {
        let changed = try plan.transforms?.request(message) ?? message
        let (flag, message) = try plan.deflater?.close(changed) ?? (0, changed)
        let (poster, isFull) = try state.withLock {
            try $0.write(message, flag: flag, core.kept)
        }
        plan.counters.countSent(bytes: MessageAssembler.prefixBytes + message.count)
        poster?.mailbox.post(self)
        guard isFull else { return }
        while try state.withLock({ try $0.isStillFull() }) {
            try checkCancellation()
            await sleep {
                $0.outbound.isFull && $0.ending == nil
            } add: {
                $0.outbound.writers.add($1)
            }
        }
    }

    /// Says that no message follows.
    func finishWriting() {
        state.withLock { $0.finishWriting() }?.mailbox.post(self)
    }

    func decode<Message: WireMessage>(_ bytes: [UInt8]) throws -> Message {
        let bytes = try plan.transforms?.response(bytes) ?? bytes
        do {
            return try Message(decoding: bytes)
        } catch {
            throw Status(.internal, "the answer of \(plan.path) cannot be read: \(error)")
        }
    }

    private func checkCancellation() throws {
        guard Task.isCancelled else { return }
        throw Status(.cancelled, "the caller's task was cancelled")
    }

    /// Waits while `mayWait`, until the loop has news or the task is cancelled.
    func sleep(
        while mayWait: (borrowing State) -> Bool,
        add: (inout State, Sleeper) -> Bool
    ) async {
        await withTaskCancellationHandler {
            await Sleeper.sleep { sleeper in
                state.withLock { mayWait($0) && add(&$0, sleeper) }
            }
        } onCancel: {
            let waiters = state.withLock { state in
                state.inbound.readers.interrupt() + state.outbound.writers.interrupt()
            }
            waiters.wakeAll()
        }
    }

    // MARK: Endings

    /// Ends the call for good; later endings are without effect.
    ///
    /// - Parameter keepsMessages: whether what has arrived may still be read: where the service
    ///   ended the call, and not we.
    func end(_ status: Status, keepsMessages: Bool = false) {
        let (waiters, poster, isFirst) = state.withLock {
            $0.end(status, keepsMessages: keepsMessages, core.kept)
        }
        guard isFirst else { return }
        // Before its caller hears of it, so that what is counted then is right.
        core.ended(self)
        waiters.wakeAll()
        poster?.mailbox.post(self)
    }

    var isEnded: Bool { state.withLock { $0.ending != nil } }

    package func deadlineReached() {
        end(Status(.deadlineExceeded, deadlineText))
    }

    var deadlineText: String {
        let waited = ContinuousClock.now - plan.begun
        let where_ = state.withLock {
            $0.peer.address == "none" ? "no server was reached" : "no answer"
        }
        return "\(plan.path): \(where_) within the deadline (\(waited))"
    }

    // MARK: The loop's side

    /// An attempt begins on a connection; false where the call has ended.
    func attempt(on connection: ClientConnection) -> Bool {
        state.withLock { state in
            guard state.ending == nil else { return false }
            state.connection = connection
            state.peer = connection.peer
            if case .hedge = plan.role { state.endpoint = connection.endpoint }
            state.isPosted = true
            streamID.store(0, ordering: .relaxed)
            return true
        }
    }

    /// The connection has no more to do with the call.
    func attemptEnded(on connection: ClientConnection) {
        state.withLock { state in
            if state.connection === connection { state.connection = nil }
        }
    }

    /// The service answered: from now on the call cannot be repeated.
    func received(headers: Metadata, isCompressed: Bool) {
        let waiters = state.withLock { state in
            state.headers = headers
            state.isCompressed = isCompressed
            state.commit(core.kept)
            return state.inbound.readers.takeAll()
        }
        waiters.wakeAll()
    }

    func received(_ messages: ShortQueue<[UInt8]>, bytes: Int) -> Int {
        let streams = plan.kind.streamsResponses
        let (waiters, credit) = state.withLock { state in
            state.inbound.noteReceived(bytes)
            guard state.ending == nil else {
                state.inbound.dropAll()
                return (Sleepers(), state.inbound.takeCredit())
            }
            messages.forEach { state.inbound.append($0) }
            let waiters =
                streams && !messages.isEmpty ? state.inbound.readers.takeAll() : Sleepers()
            return (waiters, state.inbound.takeCredit())
        }
        waiters.wakeAll()
        return credit
    }

    func wrote(_ count: Int) {
        state.withLock { $0.outbound.noteWritten(count) }.wakeAll()
    }

    func takeUpdate() -> Update {
        state.withLock { state in
            state.isPosted = false
            defer { state.outbound.chunks = ShortQueue() }
            return Update(
                chunks: state.outbound.chunks, credit: state.inbound.takeCredit(),
                hasFinishedWriting: state.hasFinishedWriting, ending: state.ending)
        }
    }
}
