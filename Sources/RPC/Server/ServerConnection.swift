import NIOCore
import Synchronization

/// One accepted connection, as the server's tasks see it: hands its calls to workers, and drains.
///
/// A worker is a task that answers one call after the other. While handlers do not wait for
/// anything, one worker answers all calls of a connection, and a call costs no task of its own; a
/// call that finds every worker busy or waiting gets another.
final class ServerConnection: Sendable {
    private struct State {
        /// Calls that no worker has taken.
        var calls = ShortQueue<ServerCall>()
        /// Workers without a call.
        var idle: [Sleeper] = []
        /// How many workers are to be started, and who starts them.
        var wanted = 0
        var starter: Sleeper?
        /// Whether a worker is on its way to the calls; it sees to the next one itself.
        var isWaking = false
        var isClosed = false

        /// Whom to wake, so that calls that nobody has taken find a worker; nil of nobody.
        mutating func wake() -> Sleeper? {
            guard !calls.isEmpty, !isWaking else { return nil }
            isWaking = true
            if let worker = idle.popLast() { return worker }
            wanted += 1
            defer { starter = nil }
            return starter
        }
    }

    /// How many workers without a call are kept.
    private static let idleLimit = 64

    private let channel: any Channel
    private let handler: NIOLoopBound<ServerConnectionHandler>
    /// What runs the handlers on the channel's loop; nil leaves them to the pool.
    let executor: LoopExecutor?
    private let state = Mutex(State())

    /// Made on the channel's loop.
    init(
        _ channel: any Channel, _ handler: ServerConnectionHandler, _ placement: HandlerPlacement
    ) {
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        executor = placement == .eventLoop ? LoopExecutor(channel.eventLoop) : nil
    }

    /// Answers calls until the connection is closed; closes it where the task is cancelled.
    func run() async {
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(executor) { await startWorkers() }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func startWorkers() async {
        await withDiscardingTaskGroup { group in
            while let count = await nextStarts() {
                for _ in 0..<count { group.addTask { await self.work() } }
            }
        }
    }

    /// How many workers to start; nil once the connection is closed.
    private func nextStarts() async -> Int? {
        while true {
            let (count, isOver) = state.withLock { state -> (Int, Bool) in
                defer { state.wanted = 0 }
                return (state.wanted, state.isClosed)
            }
            if count > 0 { return count }
            if isOver { return nil }
            await Sleeper.sleep { sleeper in
                state.withLock { state in
                    guard state.wanted == 0, !state.isClosed else { return false }
                    state.starter = sleeper
                    return true
                }
            }
        }
    }

    private func work() async {
        var isFresh = true
        while true {
            let (call, isOver) = nextCall(isFresh)
            isFresh = false
            if let call {
                await call.run()
                // A task that was cancelled with its call stays so; a fresh one does better.
                if Task.isCancelled { return wakeWorker() }
            } else {
                if isOver { return }
                await Sleeper.sleep(rest)
                isFresh = true
            }
        }
    }

    /// A call that nobody has taken, or whether the worker is one too many.
    ///
    /// - Parameter isFresh: whether the worker was just started or woken for a call.
    private func nextCall(_ isFresh: Bool) -> (call: ServerCall?, isOver: Bool) {
        let (call, isOver, sleeper) = state.withLock { state in
            if isFresh { state.isWaking = false }
            let call = state.calls.popFirst()
            let isOver = state.isClosed || state.idle.count >= Self.idleLimit
            // The handler of this call may wait: then somebody must take the next.
            return (call, isOver, call == nil ? nil : state.wake())
        }
        sleeper?.wake()
        return (call, isOver)
    }

    /// Keeps a worker without a call until there is one; false where it need not rest.
    private func rest(_ sleeper: Sleeper) -> Bool {
        state.withLock { state in
            guard state.calls.isEmpty, !state.isClosed else { return false }
            state.idle.append(sleeper)
            return true
        }
    }

    /// Sees to it that a call which nobody has taken finds a worker.
    private func wakeWorker() {
        state.withLock { $0.wake() }?.wake()
    }

    /// Gives calls to workers; called on the loop.
    func start(_ calls: [ServerCall]) {
        let sleeper = state.withLock { state in
            for call in calls { state.calls.append(call) }
            return state.wake()
        }
        sleeper?.wake()
    }

    /// No calls will follow; called on the loop.
    func closed() {
        let (idle, starter) = state.withLock { state in
            state.isClosed = true
            defer {
                state.idle = []
                state.starter = nil
            }
            return (state.idle, state.starter)
        }
        for worker in idle { worker.wake() }
        starter?.wake()
    }

    /// Tells the peer to open no more calls, and closes once those that are open have ended.
    func drain() {
        channel.eventLoop.execute { self.handler.value.drain() }
    }

    func close() {
        channel.close(promise: nil)
    }
}
