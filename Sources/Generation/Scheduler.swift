internal import Synchronization

/// Runs many sequences on one model: in each step all of them advance together.
///
/// `run` is the loop. Give it a thread of its own (a task executor preference): it computes. Any
/// task may call `perform`; a cancelled one frees its place before the next step.
///
///     perform → waiting → slot: feed, receive, feed, … → done
///                  └────────── cancelled ──────┴──────→
public final class Scheduler: Sendable {
    public struct Limits: Sendable {
        /// Sequences that advance together.
        public var slots: Int
        /// Sequences that may wait for a place.
        public var queue: Int
        /// Tokens of one sequence in one step, so that a long prompt does not hold up the others.
        public var chunk: Int
        /// Tokens of all sequences in one step.
        public var stepTokens: Int

        public init(slots: Int = 8, queue: Int = 256, chunk: Int = 64, stepTokens: Int = 256) {
            self.slots = max(1, slots)
            self.queue = max(0, queue)
            self.chunk = max(1, chunk)
            self.stepTokens = max(1, stepTokens)
        }
    }

    /// How busy a scheduler is.
    public struct Load: Sendable, Equatable {
        public var active = 0
        public var waiting = 0
        /// Tokens fed one by one since the start, which is about what was generated.
        public var generatedTokens = 0
        public var steps = 0
        /// Over the last seconds in which something ran.
        public var tokensPerSecond = 0.0
    }

    public let limits: Limits
    let state = Mutex(State())

    public init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    public var load: Load {
        state.withLock { state in
            var load = state.load
            load.waiting = state.waiting.count
            return load
        }
    }

    /// Runs a program to its end and returns it with what it has gathered.
    public func perform<Program: SequenceProgram>(_ program: Program) async throws -> Program {
        let id = state.withLock { $0.newID() }
        defer { state.withLock { $0.forget(id) } }
        let done: any SequenceProgram = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let job = Job(id: id, program: program, continuation: continuation)
                let outcome = state.withLock { $0.add(job, limit: limits.queue) }
                outcome.perform()
            }
        } onCancel: {
            let outcome = state.withLock { $0.cancel(id) }
            outcome.perform()
        }
        guard let done = done as? Program else {
            preconditionFailure("a sequence came back as \(type(of: done))")
        }
        return done
    }

    /// Advances sequences until it is cancelled. The model is made here and never leaves.
    ///
    /// - Parameter load: makes the model; what it throws ends the run.
    public func run(_ load: @Sendable () throws -> any SequenceModel) async throws {
        let model = try load()
        var loop = SchedulerLoop(model: model, limits: limits)
        state.withLock { $0.isRunning = true }
        defer {
            loop.end(GenerationError.notRunning)
            let left = state.withLock { $0.close() }
            for job in left { job.continuation.resume(throwing: GenerationError.notRunning) }
        }
        while !Task.isCancelled {
            let intake = state.withLock { $0.take(free: loop.freeSlots) }
            loop.cancel(intake.cancelled)
            loop.admit(intake.jobs)
            if loop.isIdle {
                await waitForWork()
                continue
            }
            let fed = loop.step()
            state.withLock { $0.record(fed, active: loop.active) }
            // Whoever shares the thread gets a turn between steps.
            await Task.yield()
        }
        throw CancellationError()
    }

    private func waitForWork() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let wake = state.withLock { $0.sleep(continuation) }
                wake?.resume()
            }
        } onCancel: {
            state.withLock { $0.wake() }?.resume()
        }
    }
}

/// A sequence on its way from `perform` to its slot.
struct Job: Sendable {
    let id: UInt64
    var program: any SequenceProgram
    let continuation: CheckedContinuation<any SequenceProgram, any Error>
}

extension Scheduler {
    /// What a transition leaves to do outside the lock.
    struct Outcome {
        var refused: (job: Job, error: any Error)?
        var sleeper: CheckedContinuation<Void, Never>?

        func perform() {
            if let refused { refused.job.continuation.resume(throwing: refused.error) }
            sleeper?.resume()
        }
    }

    struct State {
        var waiting: [Job] = []
        var load = Load()
        var isRunning = false
        private var isClosed = false
        private var nextID: UInt64 = 0
        private var cancelled: Set<UInt64> = []
        private var sleeper: CheckedContinuation<Void, Never>?
        private var isWoken = false
        private var measured: (since: ContinuousClock.Instant, tokens: Int)?

        mutating func newID() -> UInt64 {
            nextID += 1
            return nextID
        }

        mutating func add(_ job: Job, limit: Int) -> Outcome {
            if cancelled.contains(job.id) {
                return Outcome(refused: (job, CancellationError()))
            }
            if isClosed { return Outcome(refused: (job, GenerationError.notRunning)) }
            guard waiting.count < limit else {
                return Outcome(refused: (job, GenerationError.queueFull(waiting: waiting.count)))
            }
            waiting.append(job)
            return Outcome(sleeper: wake())
        }

        mutating func cancel(_ id: UInt64) -> Outcome {
            if let index = waiting.firstIndex(where: { $0.id == id }) {
                return Outcome(refused: (waiting.remove(at: index), CancellationError()))
            }
            if isClosed { return Outcome() }
            cancelled.insert(id)
            return Outcome(sleeper: wake())
        }

        /// A cancelled sequence stays marked until its caller has heard of it.
        mutating func forget(_ id: UInt64) {
            cancelled.remove(id)
        }

        mutating func take(free: Int) -> (jobs: [Job], cancelled: Set<UInt64>) {
            let jobs = Array(waiting.prefix(free))
            waiting.removeFirst(jobs.count)
            load.active += jobs.count
            return (jobs, cancelled)
        }

        mutating func sleep(
            _ continuation: CheckedContinuation<Void, Never>
        ) -> CheckedContinuation<Void, Never>? {
            load.active = 0
            measured = nil
            if isWoken {
                isWoken = false
                return continuation
            }
            sleeper = continuation
            return nil
        }

        mutating func wake() -> CheckedContinuation<Void, Never>? {
            defer { sleeper = nil }
            if sleeper == nil { isWoken = true }
            return sleeper
        }

        mutating func record(_ generated: Int, active: Int) {
            load.active = active
            load.steps += 1
            load.generatedTokens += generated
            let now = ContinuousClock.now
            guard let begun = measured else {
                measured = (now, load.generatedTokens)
                return
            }
            let seconds = (now - begun.since) / .seconds(1)
            guard seconds >= 1 else { return }
            load.tokensPerSecond = Double(load.generatedTokens - begun.tokens) / seconds
            measured = (now, load.generatedTokens)
        }

        mutating func close() -> [Job] {
            isRunning = false
            isClosed = true
            defer { waiting = [] }
            load.active = 0
            return waiting
        }
    }
}
