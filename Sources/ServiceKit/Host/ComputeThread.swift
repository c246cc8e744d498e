import Dispatch
import Glibc
import Synchronization

/// One thread of its own for arithmetic, so that a long product never holds up Swift's own threads.
///
/// ```swift
/// try await withTaskExecutorPreference(computeThread) { try trainer.step() }
/// ```
/// Jobs run one after another, in the order in which they come.
public final class ComputeThread: TaskExecutor {
    private let work = Work()

    public init() {
        work.start()
    }

    deinit {
        work.stop()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        unsafe work.add(Work.Item(job: UnownedJob(job), executor: asUnownedTaskExecutor()))
    }
}

/// What the thread and its owner share; the thread keeps it alive until it ends.
private final class Work: Sendable {
    @safe struct Item: Sendable {
        let job: UnownedJob
        let executor: UnownedTaskExecutor
    }

    private struct State {
        var items: [Item] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    func add(_ item: Item) {
        state.withLock { $0.items.append(item) }
        wake.signal()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake.signal()
    }

    func start() {
        let retained = unsafe Unmanaged.passRetained(self)
        var thread = pthread_t()
        // The thread takes over the reference; if it cannot be made, the process has no threads left.
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                work.run()
                return nil
            }, retained.toOpaque())
        precondition(code == 0, "no thread can be made: pthread_create returned \(code)")
        pthread_detach(thread)
    }

    private func run() {
        while true {
            wake.wait()
            let items = state.withLock { state in
                defer { state.items = [] }
                return state.items
            }
            for item in items {
                // The executor outlives its jobs: `withTaskExecutorPreference` holds it meanwhile.
                unsafe item.job.runSynchronously(on: item.executor)
            }
            if state.withLock({ $0.isStopped && $0.items.isEmpty }) { return }
        }
    }
}
