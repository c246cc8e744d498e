import Synchronization

/// Wakes those who wait for something to change, without a wake-up ever being lost.
///
/// A waiter reads the generation, looks at the table, and waits for a later generation: a change
/// between the look and the wait is then seen at once.
final class JobSignals: Sendable {
    private struct State {
        /// The number of all signals so far, and its value when each name was last raised.
        var count = 0
        var generations: [String: Int] = [:]
        /// The count when a name was last dropped: what a name without a generation is taken to have.
        var floor = 0
        var waiters: [String: [Int: CheckedContinuation<Void, Never>]] = [:]
        /// Waiters that were cancelled before they came to wait.
        var cancelled: Set<Int> = []
        var nextWaiter = 0

        func generation(of name: String) -> Int {
            generations[name] ?? floor
        }
    }

    private let state = Mutex(State())

    func generation(of name: String) -> Int {
        state.withLock { $0.generation(of: name) }
    }

    func raise(_ name: String) {
        let woken = state.withLock { state in
            state.count += 1
            state.generations[name] = state.count
            return state.waiters.removeValue(forKey: name)
        }
        for waiter in woken?.values ?? [:].values { waiter.resume() }
    }

    /// Forgets a name that is gone. Some waiters for other names may wake once for nothing.
    func drop(_ name: String) {
        state.withLock { state in
            guard state.waiters[name] == nil else { return }
            state.generations[name] = nil
            state.floor = state.count
        }
    }

    /// Returns once the generation is past the one given, or the task is cancelled.
    ///
    /// It may return early: the caller looks again, and waits again.
    func wait(for name: String, after generation: Int) async {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    if state.cancelled.remove(waiter) != nil { return true }
                    if state.generation(of: name) > generation { return true }
                    state.waiters[name, default: [:]][waiter] = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
                if let found = state.waiters[name]?.removeValue(forKey: waiter) { return found }
                state.cancelled.insert(waiter)
                return nil
            }
            continuation?.resume()
        }
        _ = state.withLock { $0.cancelled.remove(waiter) }
    }
}
