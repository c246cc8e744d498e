import Synchronization

/// A reply read piece by piece; dropping it ends the exchange.
final class HTTPBody: Sendable {
    let mailbox = HTTPMailbox()
    /// Kept, since the thread ends with its owner.
    private let owner: CurlThread
    private let core: CurlCore
    private let identifier: UInt64

    init(owner: CurlThread, core: CurlCore, identifier: UInt64) {
        self.owner = owner
        self.core = core
        self.identifier = identifier
    }

    deinit {
        if !mailbox.isFinished { core.cancel(identifier) }
    }

    /// Waits for the status and the headers.
    func head() async throws -> HTTPHead {
        try await waiting { try $0.takeHead() }
    }

    /// The next bytes; nil at the end.
    func next() async throws -> [UInt8]? {
        let bytes = try await waiting { try $0.takeBytes() }
        if mailbox.needsResume() { core.resume(identifier) }
        return bytes
    }

    private func waiting<Value>(
        for take: (HTTPMailbox) throws -> HTTPMailbox.Taken<Value>
    ) async throws -> Value {
        while true {
            if case .value(let value) = try take(mailbox) { return value }
            await withTaskCancellationHandler {
                await withCheckedContinuation { mailbox.wait($0) }
            } onCancel: {
                core.cancel(identifier)
                mailbox.wake()
            }
            try Task.checkCancellation()
        }
    }
}

/// What the curl thread has received and the reader has not yet taken; bounded.
final class HTTPMailbox: Sendable {
    enum Taken<Value> {
        case nothingYet
        case value(Value)
    }

    private struct State {
        var head: HTTPHead?
        var bytes: [UInt8] = []
        var outcome: Result<Void, TransferError>?
        var isPaused = false
        var waiter: CheckedContinuation<Void, Never>?
        /// A wake-up that found nobody waiting.
        var isSignalled = false
    }

    private static let capacity = 1 << 20
    private let state = Mutex(State())

    var isFinished: Bool { state.withLock { $0.outcome != nil } }

    // MARK: the curl thread's side

    /// Whether more bytes may come; if not, the transfer pauses until the reader has taken some.
    var hasRoom: Bool {
        state.withLock { state in
            state.isPaused = state.bytes.count >= Self.capacity
            return !state.isPaused
        }
    }

    func append(head: HTTPHead, _ bytes: [UInt8]) {
        change { state in
            state.head = head
            state.bytes += bytes
        }
    }

    func finish(head: HTTPHead, _ outcome: Result<Void, TransferError>) {
        change { state in
            if case .success = outcome { state.head = head }
            state.outcome = outcome
        }
    }

    // MARK: the reader's side

    func takeHead() throws -> Taken<HTTPHead> {
        try state.withLock { state in
            if let head = state.head { return .value(head) }
            try state.outcome?.get()
            return .nothingYet
        }
    }

    func takeBytes() throws -> Taken<[UInt8]?> {
        try state.withLock { state in
            if !state.bytes.isEmpty {
                defer { state.bytes = [] }
                return .value(state.bytes)
            }
            guard let outcome = state.outcome else { return .nothingYet }
            try outcome.get()
            return .value(nil)
        }
    }

    func needsResume() -> Bool {
        state.withLock { state in
            defer { state.isPaused = false }
            return state.isPaused
        }
    }

    func wait(_ waiter: CheckedContinuation<Void, Never>) {
        let resumesNow = state.withLock { state in
            if state.isSignalled || state.outcome != nil {
                state.isSignalled = false
                return true
            }
            state.waiter = waiter
            return false
        }
        if resumesNow { waiter.resume() }
    }

    func wake() { change { _ in } }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            state.isSignalled = state.waiter == nil
            return state.waiter
        }
        waiter?.resume()
    }
}
