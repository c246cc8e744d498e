import Synchronization

/// What all calls of a client share that decides whether one may be repeated.
final class RetryControl: Sendable {
    private let throttle: RetryThrottle?
    private let most: Int
    private let perSuccess: Int
    /// In thousandths.
    private let tokens: Atomic<Int>
    private let budget: Mutex<BudgetWindow?>

    init(_ configuration: ClientConfiguration) {
        throttle = configuration.retryThrottle
        most = min(max(configuration.retryThrottle?.tokens ?? 1, 1), 1000) * 1000
        perSuccess = Int((configuration.retryThrottle?.tokensPerSuccess ?? 0) * 1000)
        tokens = Atomic(most)
        budget = Mutex(configuration.retryBudget.map(BudgetWindow.init))
    }

    /// A call succeeded. Costs a load as long as the bucket is full.
    func succeeded() {
        guard throttle != nil, tokens.load(ordering: .relaxed) < most else { return }
        change(by: perSuccess)
    }

    /// A call failed in a way that is tried again; whether the throttle lets it be.
    func failed() -> Bool {
        guard throttle != nil else { return true }
        change(by: -1000)
        return mayRepeat
    }

    var mayRepeat: Bool { throttle == nil || tokens.load(ordering: .relaxed) > most / 2 }

    /// Takes a repetition from the budget; false where it is used up.
    func take(at now: ContinuousClock.Instant, calls: Int) -> Bool {
        budget.withLock { $0?.take(at: now, calls: calls) ?? true }
    }

    func observe(at now: ContinuousClock.Instant, calls: Int) {
        budget.withLock { $0?.observe(at: now, calls: calls) }
    }

    private func change(by amount: Int) {
        var old = tokens.load(ordering: .relaxed)
        while true {
            let new = min(max(old + amount, 0), most)
            let (isExchanged, original) = tokens.weakCompareExchange(
                expected: old, desired: new, ordering: .relaxed)
            if isExchanged { return }
            old = original
        }
    }
}

/// Calls and repetitions of the last ten seconds, a second each.
///
/// Calls are counted elsewhere, since the start; what a second had is the difference of two
/// readings, so that a call that is not repeated costs nothing here.
package struct BudgetWindow: Sendable {
    private struct Second {
        var number: Int64 = .min
        /// The count of calls when the second began.
        var callsBefore = 0
        var repetitions = 0
    }

    private static let seconds = 10
    private let budget: RetryBudget
    private let begun = ContinuousClock.now
    private var slots = [Second](repeating: Second(), count: seconds)

    package init(_ budget: RetryBudget) {
        self.budget = budget
    }

    /// Notes how many calls the client has begun since its start; once a second is enough.
    package mutating func observe(at now: ContinuousClock.Instant, calls: Int) {
        let second = (now - begun).components.seconds
        let slot = Int(second % Int64(Self.seconds))
        guard slots[slot].number != second else { return }
        slots[slot] = Second(number: second, callsBefore: calls)
    }

    /// Takes a repetition; false where they are too many.
    package mutating func take(at now: ContinuousClock.Instant, calls: Int) -> Bool {
        observe(at: now, calls: calls)
        let second = (now - begun).components.seconds
        let recent = slots.filter { $0.number > second - Int64(Self.seconds) }
        let repetitions = recent.reduce(0) { $0 + $1.repetitions }
        // In the first ten seconds every call is recent.
        let before = second < Self.seconds ? 0 : recent.map(\.callsBefore).min() ?? calls
        let least = budget.leastPerSecond * Self.seconds
        guard Double(repetitions) < Double(least) + budget.share * Double(calls - before) else {
            return false
        }
        slots[Int(second % Int64(Self.seconds))].repetitions += 1
        return true
    }
}

/// The request bytes that calls keep in case they must be sent again.
final class KeptRequests: Sendable {
    /// What a call keeps without being counted; as small are most calls.
    static let free = 16 << 10
    let perCall: Int
    private let limit: Int
    private let bytes = Atomic<Int>(0)

    init(perCall: Int, limit: Int) {
        self.perCall = perCall
        self.limit = limit
    }

    /// Counts more bytes; false, and nothing counted, where they would be too many.
    func add(_ count: Int) -> Bool {
        let new = bytes.add(count, ordering: .relaxed).newValue
        if new <= limit { return true }
        bytes.subtract(count, ordering: .relaxed)
        return false
    }

    func remove(_ count: Int) {
        if count > 0 { bytes.subtract(count, ordering: .relaxed) }
    }

    var count: Int { bytes.load(ordering: .relaxed) }
}
