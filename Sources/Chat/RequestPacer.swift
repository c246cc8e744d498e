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

    /// Lets nobody send before a moment: the server said so. Reservations after now are void.
    package mutating func hold(
        until moment: ContinuousClock.Instant, now: ContinuousClock.Instant
    ) {
        next = max(moment, now + interval)
    }
}
