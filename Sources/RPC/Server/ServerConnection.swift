import NIOCore
import Synchronization

/// One accepted connection, as the server's tasks see it: hands its calls to tasks, and drains.
final class ServerConnection: Sendable {
    private struct State {
        var calls: [ServerCall] = []
        var waiter: CheckedContinuation<[ServerCall]?, Never>?
        var isClosed = false
    }

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
            await withTaskExecutorPreference(executor) { await answer() }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func answer() async {
        await withDiscardingTaskGroup { group in
            while let calls = await nextCalls() {
                for call in calls {
                    if executor == nil {
                        group.addTask { await call.run() }
                    } else {
                        // Most calls end before they ever wait: no task is queued for them.
                        group.addImmediateTask { await call.run() }
                    }
                }
            }
        }
    }

    private func nextCalls() async -> [ServerCall]? {
        await withCheckedContinuation { continuation in
            let (calls, isOver) = state.withLock { state -> ([ServerCall]?, Bool) in
                if !state.calls.isEmpty {
                    defer { state.calls = [] }
                    return (state.calls, false)
                }
                if state.isClosed { return (nil, true) }
                state.waiter = continuation
                return (nil, false)
            }
            if calls != nil || isOver { continuation.resume(returning: calls) }
        }
    }

    /// Gives calls to tasks; called on the loop.
    func start(_ calls: [ServerCall]) {
        let waiter = state.withLock { state in
            guard state.waiter != nil else {
                state.calls += calls
                return state.waiter
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: calls)
    }

    /// No calls will follow; called on the loop.
    func closed() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// Tells the peer to open no more calls, and closes once those that are open have ended.
    func drain() {
        channel.eventLoop.execute { self.handler.value.drain() }
    }

    func close() {
        channel.close(promise: nil)
    }
}
