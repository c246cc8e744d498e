import Synchronization

/// How many bytes the buffers of all connections may hold: requests that handlers have not read,
/// answers that callers have not taken.
public final class MemoryBudget: Sendable {
    public let limitBytes: Int
    private let used = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)

    /// What servers share unless they are told otherwise: 512 MiB.
    public static let process = MemoryBudget(limitBytes: 512 << 20)

    public init(limitBytes: Int) {
        precondition(limitBytes > 0, "a budget of \(limitBytes) bytes holds nothing")
        self.limitBytes = limitBytes
    }

    /// What is held now.
    public var usedBytes: Int { used.load(ordering: .relaxed) }
    /// The most that was ever held.
    public var peakBytes: Int { peak.load(ordering: .relaxed) }

    var isExceeded: Bool { usedBytes >= limitBytes }

    func add(_ count: Int) {
        let now = used.add(count, ordering: .relaxed).newValue
        if count > 0, now > peakBytes { peak.max(now, ordering: .relaxed) }
    }
}

/// One connection's part of a ``MemoryBudget``.
///
/// Calls tell of their bytes in steps of ``step``, so that a small message costs nothing.
final class ConnectionMemory: Sendable {
    /// How many bytes a call holds before it is counted.
    static let step = 16 << 10
    /// What a connection may hold while others have used the process's budget up: the frames that
    /// wait for its socket, and as much that waits to become frames.
    private static let reserve = 640 << 10

    private let budget: MemoryBudget
    private let limitBytes: Int
    private let held = Atomic<Int>(0)

    init(_ budget: MemoryBudget, limitBytes: Int) {
        self.budget = budget
        self.limitBytes = limitBytes
    }

    var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Whether no more may be taken in: not by this connection, or by none.
    ///
    /// A connection that holds little goes on until the process holds a quarter more than it
    /// should: others' slow readers are not its fault.
    var isShort: Bool {
        let held = heldBytes
        if held >= limitBytes { return true }
        guard budget.isExceeded else { return false }
        return held > Self.reserve || budget.usedBytes >= budget.limitBytes / 4 * 5
    }

    func add(_ count: Int) {
        guard count != 0 else { return }
        held.add(count, ordering: .relaxed)
        budget.add(count)
    }

    static let status = Status(
        .resourceExhausted,
        "the server's buffers are full of requests it has not read and answers nobody took; try "
            + "again later")
}

/// What of a number of bytes was told to a ``ConnectionMemory``.
struct CountedBytes {
    private var counted = 0

    /// The change to tell of: none while the number is near what was told.
    mutating func change(to count: Int) -> Int {
        let change = count - counted
        guard abs(change) >= ConnectionMemory.step || (count == 0 && change != 0) else { return 0 }
        counted = count
        return change
    }
}
