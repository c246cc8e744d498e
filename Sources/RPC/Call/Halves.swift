import HTTP2

/// What a call receives: filled by the loop, taken by a task.
///
/// The window a peer may fill opens only as messages are taken. Bytes of a message that is not
/// complete count as taken while no complete one waits: else a message larger than the window
/// could never arrive.
struct InboundHalf {
    private var messages = ShortQueue<[UInt8]>()
    private(set) var isFinished = false
    var readers = Waiters()
    /// Bytes the loop received, the tasks took, and the peer was given back, since the start.
    private var received = 0
    private var taken = 0
    private var credited = 0
    /// What of the bytes kept for a reader the connection's memory knows.
    var counted = CountedBytes()

    init() {}

    /// A half of a new attempt, with those who wait for it.
    init(readers: Waiters) {
        self.readers = readers
    }

    var hasMessage: Bool { !messages.isEmpty }

    mutating func noteReceived(_ count: Int) {
        received += count
    }

    mutating func append(_ message: [UInt8]) {
        messages.append(message)
    }

    /// No message follows those that are here.
    mutating func finish() {
        isFinished = true
    }

    mutating func takeMessage() -> [UInt8]? {
        guard let message = messages.popFirst() else { return nil }
        taken += MessageAssembler.prefixBytes + message.count
        return message
    }

    /// Bytes kept for a reader: messages, and one that is not complete.
    var heldBytes: Int { received - taken }

    /// What the peer may be given back now.
    var creditDue: Int { max(0, (hasMessage ? taken : received) - credited) }

    mutating func takeCredit() -> Int {
        let due = creditDue
        credited += due
        return due
    }

    mutating func dropAll() {
        messages = ShortQueue()
        taken = received
    }
}

/// What a call sends: filled by a task, taken by the loop.
struct OutboundHalf {
    let limit: Int
    var chunks = ShortQueue<Chunk>()
    /// Bytes accepted and not framed yet.
    var bufferedBytes = 0
    /// What of them the connection's memory knows.
    var counted = CountedBytes()
    var writers = Waiters()

    init(limit: Int) {
        self.limit = limit
    }

    var isFull: Bool { bufferedBytes > limit }

    mutating func append(_ message: [UInt8], flag: UInt8 = 0) {
        append(Chunk(flag: flag, length: UInt32(message.count), body: message))
    }

    mutating func append(_ chunk: Chunk) {
        chunks.append(chunk)
        bufferedBytes += chunk.count
    }

    /// Notes framed bytes; the writers to wake once the half is empty enough.
    mutating func noteWritten(_ count: Int) -> Sleepers {
        bufferedBytes -= count
        return bufferedBytes <= limit / 2 ? writers.takeAll() : Sleepers()
    }
}
