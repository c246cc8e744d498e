package import NIOCore
import Synchronization

/// What a deadline ends.
package protocol Expiring: AnyObject, Sendable {
    func deadlineReached()
}

/// The deadlines of many calls on few timers of an event loop.
///
/// A timer of the loop is set only where none fires early enough, and is never cancelled, which
/// would cost more than letting it find nothing to do. One that is set before another fires in half
/// the time at most, and none later than in a minute: however callers choose their deadlines, there
/// are few, and they do not outlive a connection by long.
package final class DeadlineTimer: Sendable {
    private struct State {
        var heap = DeadlineHeap()
        /// When the loop's timers fire: each earlier than the one before it.
        var armed: [ContinuousClock.Instant] = []

        /// For when a timer must be set, so that one fires by the deadline; nil where one does.
        mutating func arm(_ deadline: ContinuousClock.Instant) -> ContinuousClock.Instant? {
            let now = ContinuousClock.now
            var moment = min(deadline, now + DeadlineTimer.longest)
            if let earliest = armed.last {
                if earliest <= deadline { return nil }
                moment = min(moment, now + (earliest - now) / 2)
            }
            armed.append(moment)
            return moment
        }
    }

    private static let longest = Duration.seconds(60)

    private let loop: any EventLoop
    private let state = Mutex(State())

    package init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// How many timers of the loop are set.
    package var timerCount: Int { state.withLock { $0.armed.count } }

    package func insert(_ item: any Expiring, at deadline: ContinuousClock.Instant) {
        let moment = state.withLock { state in
            state.heap.insert(item, at: deadline)
            return state.arm(deadline)
        }
        if let moment { setTimer(moment) }
    }

    package func remove(_ item: any Expiring) {
        state.withLock { $0.heap.remove(item) }
    }

    private func setTimer(_ moment: ContinuousClock.Instant) {
        let (seconds, attoseconds) = (moment - .now).components
        // Rounded up, so that the deadline has passed when the timer fires.
        let delay = max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000 + 1)
        loop.scheduleTask(in: .microseconds(delay)) { [weak self] in self?.fire(moment) }
    }

    private func fire(_ moment: ContinuousClock.Instant) {
        let (expired, next) = state.withLock { state in
            let expired = state.heap.removeExpired(at: .now)
            state.armed.removeAll { $0 == moment }
            let next = state.heap.earliest.flatMap { state.arm($0) }
            return (expired, next)
        }
        if let next { setTimer(next) }
        for item in expired { item.deadlineReached() }
    }
}

/// A binary heap that knows where each item lies, so that one may be removed early.
struct DeadlineHeap {
    private var entries: [(deadline: ContinuousClock.Instant, item: any Expiring)] = []
    private var positions: [ObjectIdentifier: Int] = [:]

    var earliest: ContinuousClock.Instant? { entries.first?.deadline }
    var count: Int { entries.count }

    mutating func insert(_ item: any Expiring, at deadline: ContinuousClock.Instant) {
        entries.append((deadline, item))
        positions[ObjectIdentifier(item)] = entries.count - 1
        siftUp(entries.count - 1)
    }

    mutating func remove(_ item: any Expiring) {
        guard let index = positions.removeValue(forKey: ObjectIdentifier(item)) else { return }
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        positions[ObjectIdentifier(last.item)] = index
        siftUp(index)
        siftDown(index)
    }

    mutating func removeExpired(at now: ContinuousClock.Instant) -> [any Expiring] {
        var expired: [any Expiring] = []
        while let first = entries.first, first.deadline <= now {
            expired.append(first.item)
            remove(first.item)
        }
        return expired
    }

    private mutating func swapEntries(_ a: Int, _ b: Int) {
        entries.swapAt(a, b)
        positions[ObjectIdentifier(entries[a].item)] = a
        positions[ObjectIdentifier(entries[b].item)] = b
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard entries[index].deadline < entries[parent].deadline else { return }
            swapEntries(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < entries.count {
                if entries[child].deadline < entries[least].deadline { least = child }
            }
            guard least != index else { return }
            swapEntries(index, least)
            index = least
        }
    }
}
