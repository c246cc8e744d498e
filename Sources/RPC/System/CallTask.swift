import Synchronization

/// Lets another thread cancel the task a call's handler runs in.
///
/// A discarding group gives no handle of its children, and a second task per call to hold one
/// would cost more than most calls. So the task lends its own handle while the handler runs:
///
/// ```
/// idle ──begin──▶ running ──cancel──▶ cancelling ──▶ running
///                    │                    │ the handler ends meanwhile: it waits
///                    └──the handler ends──┴──────────▶ done
/// ```
/// Sendable because the handle is used only between `begin` and `done`, and only to cancel, which
/// the runtime allows from any thread.
struct CallTask: ~Copyable, @unchecked Sendable {
    /// Not private: a debug build of Swift 6.3 loses the type then.
    struct State {
        var handle: Handle?
        var isCancelled = false
        var isCancelling = false
        var waiter: Sleeper?
    }

    /// Sendable for the reason given above.
    @safe struct Handle: @unchecked Sendable {
        let task: UnsafeCurrentTask
    }

    private let state = Mutex(State())

    /// From now on ``cancel()`` reaches the task that calls this.
    func begin() {
        let handle = unsafe withUnsafeCurrentTask { task in
            unsafe task.map { unsafe Handle(task: $0) }
        }
        let isCancelled = state.withLock { state in
            state.handle = handle
            return state.isCancelled
        }
        if isCancelled { unsafe handle?.task.cancel() }
    }

    /// Forgets the task; false where somebody is just cancelling it, who has to finish first.
    func end() -> Bool {
        state.withLock { state in
            state.handle = nil
            return !state.isCancelling
        }
    }

    /// Waits until nobody cancels the task any more.
    func cancellation() async {
        await Sleeper.sleep { sleeper in
            state.withLock { state in
                guard state.isCancelling else { return false }
                state.waiter = sleeper
                return true
            }
        }
    }

    func cancel() {
        let handle: Handle? = state.withLock { state in
            guard !state.isCancelled else { return nil }
            state.isCancelled = true
            state.isCancelling = state.handle != nil
            return state.handle
        }
        guard let handle else { return }
        // Outside of the lock: cancelling runs the handlers of whatever the task waits for.
        unsafe handle.task.cancel()
        let waiter = state.withLock { state in
            state.isCancelling = false
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.wake()
    }
}
