import Synchronization

/// What was counted of one method, on a server or on a client, since its process began.
///
/// A call finds its counters by its route, and adds to them without a lock.
public final class MethodCounters: Sendable {
    public enum Side: String, Sendable { case server, client }

    public let side: Side
    public let service: String
    public let name: String
    public let kind: CallKind

    private let startedCount = Atomic<Int>(0)
    private let handled: InlineArray<17, Atomic<Int>>
    private let buckets: InlineArray<17, Atomic<Int>>
    private let nanoseconds = Atomic<Int>(0)
    private let receivedCount = Atomic<Int>(0)
    private let receivedBytes = Atomic<Int>(0)
    private let sentCount = Atomic<Int>(0)
    private let sentBytes = Atomic<Int>(0)

    /// The upper bounds of the histogram's buckets but the last, which has none, in microseconds.
    static let bounds = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000, 5_000_000, 10_000_000,
    ]

    package init(_ side: Side, service: String, name: String, kind: CallKind) {
        self.side = side
        self.service = service
        self.name = name
        self.kind = kind
        handled = InlineArray { _ in Atomic(0) }
        buckets = InlineArray { _ in Atomic(0) }
    }

    // MARK: Counting

    func countStart() {
        startedCount.add(1, ordering: .relaxed)
    }

    /// Counts the end of a call, and that it took so long.
    func countEnd(_ code: Status.Code, after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        countEnd(
            code, nanoseconds: Int(seconds) &* 1_000_000_000 &+ Int(attoseconds / 1_000_000_000))
    }

    func countEnd(_ code: Status.Code, nanoseconds: Int) {
        let microseconds = nanoseconds / 1000
        let bucket = Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
        handled[code.rawValue].add(1, ordering: .relaxed)
        buckets[bucket].add(1, ordering: .relaxed)
        self.nanoseconds.add(nanoseconds, ordering: .relaxed)
    }

    /// Counts a call that was refused before it had begun.
    func countRefusal(_ code: Status.Code) {
        countStart()
        countEnd(code, after: .zero)
    }

    func countReceived(messages: Int, bytes: Int) {
        if messages > 0 { receivedCount.add(messages, ordering: .relaxed) }
        receivedBytes.add(bytes, ordering: .relaxed)
    }

    func countSent(bytes: Int) {
        sentCount.add(1, ordering: .relaxed)
        sentBytes.add(bytes, ordering: .relaxed)
    }

    // MARK: Reading

    /// How many calls began.
    public var started: Int { startedCount.load(ordering: .relaxed) }

    /// How many calls ended with a code.
    public func ended(with code: Status.Code) -> Int {
        handled[code.rawValue].load(ordering: .relaxed)
    }

    /// Messages and their bytes, with the five bytes before each, that came in.
    public var received: (messages: Int, bytes: Int) {
        (receivedCount.load(ordering: .relaxed), receivedBytes.load(ordering: .relaxed))
    }

    /// Messages and their bytes, with the five bytes before each, that were handed to the sender.
    public var sent: (messages: Int, bytes: Int) {
        (sentCount.load(ordering: .relaxed), sentBytes.load(ordering: .relaxed))
    }

    /// How many calls ended within each bound, not counting those within a lower one.
    var durations: (counts: [Int], seconds: Double) {
        let counts = (0...Self.bounds.count).map { buckets[$0].load(ordering: .relaxed) }
        return (counts, Double(nanoseconds.load(ordering: .relaxed)) / 1e9)
    }

    // MARK: Clients

    private static let clients = Mutex<[String: MethodCounters]>([:])
    private static let clientLimit = 1024

    /// The counters of all clients of this process for one method; beyond the first 1024 methods
    /// all share those of the service "other".
    static func ofClients(service: String, name: String, kind: CallKind) -> MethodCounters {
        clients.withLock { clients in
            if let known = clients["\(service)/\(name)"] { return known }
            let isFull = clients.count >= clientLimit
            let (service, name) = isFull ? ("other", "other") : (service, name)
            let made =
                clients["\(service)/\(name)"]
                ?? MethodCounters(.client, service: service, name: name, kind: kind)
            clients["\(service)/\(name)"] = made
            return made
        }
    }

    /// The counters of every method that this process has called or may call, by name.
    public static var ofAllClients: [MethodCounters] {
        clients.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
    }
}
