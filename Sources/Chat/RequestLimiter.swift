import Synchronization

/// When each of those who share the keys may send; pure, the clock is the caller's.
///
/// A key the server asks to rest holds everyone who uses it, those included who already have a turn:
/// their turns are void, and they take new ones behind the rest.
package struct RequestTurns: Sendable {
    /// A moment to wake at.
    package struct Turn: Sendable, Equatable {
        package var moment: ContinuousClock.Instant
        /// Whether a request may go at that moment; else the key rests until then, and one asks again.
        package var mayBeSent: Bool
        fileprivate var rest: Int
    }

    private struct Rest {
        var end: ContinuousClock.Instant?
        var number = 0
    }

    /// One a key; empty where keys have no limit.
    private var pacers: [RequestPacer]
    /// For all keys together.
    private var total: RequestPacer?
    private var rests: [Rest]

    /// - Parameters:
    ///   - requestsPerMinute: for each key; nil for no limit.
    ///   - requestsPerMinuteInAll: for all keys together; nil for no limit.
    package init(keys: Int, requestsPerMinute: Int?, requestsPerMinuteInAll: Int? = nil) {
        let keys = max(1, keys)
        let pacer = requestsPerMinute.map { RequestPacer(requestsPerMinute: $0) }
        pacers = pacer.map { Array(repeating: $0, count: keys) } ?? []
        total = requestsPerMinuteInAll.map { RequestPacer(requestsPerMinute: $0) }
        rests = Array(repeating: Rest(), count: keys)
    }

    /// The next turn of a key, or the end of its rest.
    package mutating func take(key: Int, now: ContinuousClock.Instant) -> Turn {
        let rest = rests[key]
        if let end = rest.end, end > now {
            return Turn(moment: end, mayBeSent: false, rest: rest.number)
        }
        var moment = now
        if !pacers.isEmpty { moment = pacers[key].reserve(now: now) }
        if let inAll = total?.reserve(now: now) { moment = max(moment, inAll) }
        return Turn(moment: moment, mayBeSent: true, rest: rest.number)
    }

    /// Whether a turn still counts: no rest has begun since it was taken.
    package func isValid(_ turn: Turn, key: Int) -> Bool {
        turn.mayBeSent && rests[key].number == turn.rest
    }

    package mutating func hold(key: Int, now: ContinuousClock.Instant, for duration: Duration) {
        let end = now + duration
        // A shorter rest does not end a longer one.
        if let known = rests[key].end, known >= end { return }
        rests[key].end = end
        rests[key].number += 1
        if !pacers.isEmpty { pacers[key].hold(until: end, now: now) }
    }
}

/// Lets requests go at their turns, whoever sends them.
final class RequestLimiter: Sendable {
    private let turns: Mutex<RequestTurns>

    init(_ turns: RequestTurns) {
        self.turns = Mutex(turns)
    }

    /// Waits until a request with this key may be sent.
    func acquire(key: Int) async throws {
        let clock = ContinuousClock()
        while true {
            let turn = turns.withLock { $0.take(key: key, now: clock.now) }
            if turn.moment > clock.now { try await clock.sleep(until: turn.moment) }
            if turns.withLock({ $0.isValid(turn, key: key) }) { return }
        }
    }

    /// Lets nobody send with the key for a while.
    func hold(key: Int, for duration: Duration) {
        turns.withLock { $0.hold(key: key, now: .now, for: duration) }
    }
}
