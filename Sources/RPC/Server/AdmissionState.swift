/// Who may be answered now, who waits, and who is refused; no clock and no tasks.
package struct AdmissionState {
    /// What becomes of a call.
    package enum Decision: Equatable {
        case run
        /// It waits under this number.
        case wait(Int)
        case refuse(Refusal)
    }

    package struct Refusal: Equatable {
        package enum Reason: Equatable {
            /// So many calls are being answered, and so many wait.
            case full(running: Int, waiting: Int)
            /// The deadline would pass in the queue.
            case tooLate(expectedSeconds: Double)
        }

        package let reason: Reason
        /// When it may be worth to try again.
        package let pushback: Duration
    }

    private enum Wait {
        /// In the queue; the sleeper once there is one.
        case queued(Sleeper?)
        /// A place was given to it before it slept.
        case admitted
    }

    private let limits: LoadLimits
    private var gradient: GradientLimit?
    private var unloaded: [UnloadedTime]
    /// How long a call keeps its place, in seconds, smoothed; zero while nothing is known.
    private var meanSeconds = 0.0
    package private(set) var running = 0
    private var queue = ShortQueue<Int>()
    /// How many numbers in the queue are of those who gave up.
    private var abandoned = 0
    private var waits: [Int: Wait] = [:]
    private var nextNumber = 0

    /// - Parameter methods: how many methods the server has.
    package init(_ limits: LoadLimits, methods: Int) {
        self.limits = limits
        gradient = limits.adaptive.map(GradientLimit.init)
        unloaded = Array(repeating: UnloadedTime(), count: methods)
    }

    package var limit: Int {
        let hard = limits.maximumConcurrentCalls ?? .max
        return max(1, min(hard, gradient?.value ?? hard))
    }

    package var waiting: Int { waits.count }

    /// - Parameter secondsLeft: until the deadline; nil of none.
    package mutating func admit(_ priority: CallPriority, secondsLeft: Double?) -> Decision {
        let limit = limit
        let share =
            priority == .sheddable ? Int(Double(limit) * limits.sheddableShare) : limit
        if running < share, waits.isEmpty || priority == .critical {
            running += 1
            return .run
        }
        if priority == .sheddable || waits.count >= limits.maximumQueuedCalls {
            return .refuse(refusal(.full(running: running, waiting: waits.count)))
        }
        if let secondsLeft, expectedSeconds > secondsLeft {
            return .refuse(refusal(.tooLate(expectedSeconds: expectedSeconds)))
        }
        let number = nextNumber
        nextNumber += 1
        queue.append(number)
        waits[number] = .queued(nil)
        return .wait(number)
    }

    /// Whether a call would be refused now; for those who have paid nothing for it yet.
    package func refusal(of priority: CallPriority) -> Refusal? {
        guard waits.count >= limits.maximumQueuedCalls else { return nil }
        let limit = limit
        let share =
            priority == .sheddable ? Int(Double(limit) * limits.sheddableShare) : limit
        guard running >= share else { return nil }
        return refusal(.full(running: running, waiting: waits.count))
    }

    /// How long one who came now would wait.
    private var expectedSeconds: Double {
        meanSeconds * Double(waits.count + 1) / Double(limit)
    }

    private func refusal(_ reason: Refusal.Reason) -> Refusal {
        let seconds = min(5, max(0.025, expectedSeconds))
        return Refusal(reason: reason, pushback: .milliseconds(Int64(seconds * 1000)))
    }

    /// Keeps the sleeper of one who waits; false where its place is there already.
    mutating func keep(_ sleeper: Sleeper, of number: Int) -> Bool {
        guard case .queued = waits[number] else { return false }
        waits[number] = .queued(sleeper)
        return true
    }

    /// One who waits gives up; the sleeper to wake.
    mutating func giveUp(_ number: Int) -> Sleeper? {
        guard case .queued(let sleeper) = waits[number] else { return nil }
        waits[number] = nil
        abandoned += 1
        if abandoned > 64 + waits.count { closeGaps() }
        return sleeper
    }

    /// Forgets the numbers of those who gave up, where no place came free for long.
    private mutating func closeGaps() {
        var kept = ShortQueue<Int>()
        queue.forEach { if waits[$0] != nil { kept.append($0) } }
        queue = kept
        abandoned = 0
    }

    /// Whether one who waited has its place now.
    mutating func takePlace(_ number: Int) -> Bool {
        guard case .admitted = waits.removeValue(forKey: number) else { return false }
        return true
    }

    /// A call has ended; those who get a place are to be woken.
    ///
    /// - Parameters:
    ///   - seconds: how long it took.
    ///   - method: its method's number, where its time tells of load: one answer, and a good one.
    mutating func leave(seconds: Double, method: Int?) -> [Sleeper] {
        note(seconds: seconds, method: method)
        running -= 1
        var woken: [Sleeper] = []
        while running < limit, let number = queue.popFirst() {
            // One who gave up has left its number behind.
            guard case .queued(let sleeper) = waits[number] else {
                abandoned = max(0, abandoned - 1)
                continue
            }
            running += 1
            waits[number] = .admitted
            if let sleeper { woken.append(sleeper) }
        }
        return woken
    }

    /// The same without anybody to wake.
    package mutating func ended(seconds: Double, method: Int?) {
        _ = leave(seconds: seconds, method: method)
    }

    private mutating func note(seconds: Double, method: Int?) {
        meanSeconds += (seconds - meanSeconds) * (meanSeconds == 0 ? 1 : 0.05)
        guard let method, gradient != nil else { return }
        let ratio = unloaded[method].ratio(of: seconds)
        gradient?.note(ratio: ratio, running: running)
    }
}
