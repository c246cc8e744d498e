import Synchronization

/// Spaces requests evenly: a bucket of one token, filled `requestsPerMinute` times a minute.
///
/// A reservation names the moment to send; moments are never closer than the interval, whoever
/// asks, so no minute sees more than the limit.
package struct RequestPacer: Sendable {
    private let interval: Duration
    private var next: ContinuousClock.Instant?

    package init(requestsPerMinute: Int) {
        interval = .seconds(60) / max(1, requestsPerMinute)
    }

    /// When the caller may send.
    package mutating func reserve(now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let moment = next.map { max($0, now) } ?? now
        next = moment + interval
        return moment
    }

    /// Lets nobody send before a moment: the server said so.
    package mutating func hold(until moment: ContinuousClock.Instant) {
        next = next.map { max($0, moment) } ?? moment
    }
}

/// One pacer a key, shared by all who send.
final class RequestLimiter: Sendable {
    private let pacers: Mutex<[RequestPacer]>

    /// - Parameter requestsPerMinute: for each key; nil for no limit.
    init(keys: Int, requestsPerMinute: Int?) {
        let pacer = requestsPerMinute.map { RequestPacer(requestsPerMinute: $0) }
        pacers = Mutex(pacer.map { Array(repeating: $0, count: max(1, keys)) } ?? [])
    }

    /// Waits until a request with this key may be sent.
    func acquire(key: Int) async throws {
        let clock = ContinuousClock()
        let now = clock.now
        let moment = pacers.withLock { $0.isEmpty ? now : $0[key].reserve(now: now) }
        if moment > now { try await clock.sleep(until: moment) }
    }

    func hold(key: Int, for duration: Duration) {
        let moment = ContinuousClock.now + duration
        pacers.withLock { if !$0.isEmpty { $0[key].hold(until: moment) } }
    }
}
