import NIOCore
import Synchronization

/// Runs tasks on an event loop, beside the connections it carries.
///
/// However many jobs come, the loop is woken once for them. A connection that is being read holds
/// them back until it has read everything, and then runs them itself: all calls of a read are
/// answered in one turn of the loop, and leave in one write.
final class LoopExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var spare: [UnownedJob] = []
        /// Whether somebody will run the jobs.
        var isExpected = false
    }

    /// How many times in a row jobs that bring about new jobs are run before the loop may do
    /// something else.
    private static let rounds = 256

    private let loop: any EventLoop
    private let state = Mutex(State())

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            defer { state.isExpected = true }
            return !state.isExpected
        }
        if mustWake { loop.execute { self.run() } }
    }

    /// Keeps jobs until ``run()``; called on the loop.
    ///
    /// - Returns: whether they were not kept or expected already; then `run` must follow.
    func hold() -> Bool {
        state.withLock { state in
            defer { state.isExpected = true }
            return !state.isExpected
        }
    }

    /// Runs what is there; called on the loop.
    func run() {
        for _ in 0..<Self.rounds {
            guard var jobs = take() else { return }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
            state.withLock { $0.spare = jobs }
        }
        let isMore = state.withLock { state in
            state.isExpected = !state.jobs.isEmpty
            return state.isExpected
        }
        if isMore { loop.execute { self.run() } }
    }

    private func take() -> [UnownedJob]? {
        state.withLock { state in
            guard !state.jobs.isEmpty else {
                state.isExpected = false
                return nil
            }
            let jobs = state.jobs
            state.jobs = state.spare
            state.spare = []
            return jobs
        }
    }
}
