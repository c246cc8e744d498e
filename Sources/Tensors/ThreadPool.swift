internal import CKernels
internal import Glibc
internal import Synchronization

/// Threads that share out numbered tasks, the caller being the first of them.
///
/// ```
/// caller:  open ── claims tasks ── close ── waits until no worker is inside
/// worker:  spins, then parks ── enters ── still open? claims tasks ── leaves
/// ```
///
/// A worker that comes late finds the job closed and is not waited for, so a job never takes
/// longer than the caller alone would need. Which thread runs a task never changes its result:
/// tasks write apart from each other.
///
/// It is `Sendable` because all it shares is atomic or written while the job is closed.
@safe final class ThreadPool: @unchecked Sendable {
    /// Threads that work, the caller included.
    let count: Int
    private let shared: Shared
    private var threads: [pthread_t] = []
    private var scratch: [Buffer]

    init(count: Int) {
        precondition(count >= 1, "\(count) threads")
        self.count = count
        shared = Shared()
        scratch = (0..<count).map { _ in Buffer(count: 0) }
        for worker in 1..<max(count, 1) {
            start(worker)
        }
    }

    deinit {
        shared.stop()
        for thread in threads {
            pthread_join(thread, nil)
        }
    }

    /// Calls `body` for each task once, with memory of the thread's own of `scratchCount` floats
    /// at least, whose content is unknown.
    func run(
        tasks: Int, scratchCount: Int = 0,
        _ body: (_ task: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
    ) {
        shared.begin()
        defer { shared.end() }
        for worker in scratch.indices where scratch[worker].count < scratchCount {
            scratch[worker] = Buffer(count: scratchCount)
        }
        guard count > 1 && tasks > 1 else {
            for task in 0..<tasks {
                unsafe body(task, scratch[0].pointer)
            }
            return
        }
        unsafe withoutActuallyEscaping(body) { body in
            unsafe shared.open(tasks: tasks, scratch: scratch, body)
            shared.work(as: 0)
            shared.close()
        }
    }

    private final class Start {
        let worker: Int
        let shared: Shared
        init(worker: Int, shared: Shared) {
            self.worker = worker
            self.shared = shared
        }
    }

    private func start(_ worker: Int) {
        let start = unsafe Unmanaged.passRetained(Start(worker: worker, shared: shared))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                start.shared.live(as: start.worker)
                return nil
            }, start.toOpaque())
        precondition(code == 0, "no thread could be started: error \(code)")
        threads.append(thread)
    }
}

extension ThreadPool {
    typealias Body = (Int, UnsafeMutablePointer<Float>) -> Void

    /// What caller and workers see of each other.
    @safe fileprivate final class Shared: @unchecked Sendable {
        /// Grows with every job, and once more to stop.
        private let round = Atomic<Int>(0)
        /// The round whose tasks may be claimed; 0 when none.
        private let opened = Atomic<Int>(0)
        private let next = Atomic<Int>(0)
        /// Workers between entering and leaving.
        private let inside = Atomic<Int>(0)
        private let parked = Atomic<Int>(0)
        private let stopping = Atomic<Bool>(false)
        private let busy = Atomic<Bool>(false)
        private var tasks = 0
        private var scratch: [Buffer] = []
        private var body: Body?
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

        /// About 25 µs: longer than the gap between two operations of a step.
        private static let spins = 2_000

        init() {
            unsafe pthread_mutex_init(mutex, nil)
            unsafe pthread_cond_init(wake, nil)
        }

        deinit {
            unsafe pthread_mutex_destroy(mutex)
            unsafe pthread_cond_destroy(wake)
            unsafe mutex.deallocate()
            unsafe wake.deallocate()
        }

        func begin() {
            let already = busy.exchange(true, ordering: .acquiring)
            precondition(!already, "two threads use one Compute at once")
        }

        func end() {
            busy.store(false, ordering: .releasing)
        }

        func open(tasks: Int, scratch: [Buffer], _ body: @escaping Body) {
            self.tasks = tasks
            self.scratch = scratch
            unsafe self.body = unsafe body
            next.store(0, ordering: .relaxed)
            let job = round.load(ordering: .relaxed) + 1
            opened.store(job, ordering: .sequentiallyConsistent)
            round.store(job, ordering: .sequentiallyConsistent)
            wakeParked()
        }

        func close() {
            opened.store(0, ordering: .sequentiallyConsistent)
            var spins = 0
            while inside.load(ordering: .sequentiallyConsistent) != 0 {
                hone_pause()
                spins += 1
                if spins % Shared.spins == 0 { sched_yield() }
            }
            unsafe body = nil
        }

        func work(as worker: Int) {
            guard let body = unsafe body else { return }
            let memory = unsafe scratch[worker].pointer
            while true {
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard task < tasks else { return }
                unsafe body(task, memory)
            }
        }

        /// A worker's whole life.
        func live(as worker: Int) {
            var seen = 0
            while true {
                let job = wait(after: seen)
                if stopping.load(ordering: .acquiring) { return }
                seen = job
                inside.wrappingAdd(1, ordering: .sequentiallyConsistent)
                if opened.load(ordering: .sequentiallyConsistent) != 0 {
                    work(as: worker)
                }
                inside.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            }
        }

        func stop() {
            stopping.store(true, ordering: .releasing)
            round.wrappingAdd(1, ordering: .sequentiallyConsistent)
            wakeParked()
        }

        private func wait(after seen: Int) -> Int {
            for _ in 0..<Shared.spins {
                let job = round.load(ordering: .acquiring)
                if job != seen { return job }
                hone_pause()
            }
            unsafe pthread_mutex_lock(mutex)
            defer { unsafe pthread_mutex_unlock(mutex) }
            parked.wrappingAdd(1, ordering: .sequentiallyConsistent)
            defer { parked.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
            while round.load(ordering: .sequentiallyConsistent) == seen {
                unsafe pthread_cond_wait(wake, mutex)
            }
            return round.load(ordering: .acquiring)
        }

        private func wakeParked() {
            guard parked.load(ordering: .sequentiallyConsistent) > 0 else { return }
            unsafe pthread_mutex_lock(mutex)
            unsafe pthread_cond_broadcast(wake)
            unsafe pthread_mutex_unlock(mutex)
        }
    }
}
