import Synchronization

/// How a call keeps to its connection's memory.
extension ServerCall {
    /// The change of what is held for the caller, where it is worth telling.
    func countOutbound(_ state: inout State) -> Int {
        let change = state.outbound.counted.change(to: state.outbound.bufferedBytes)
        if change != 0 { countedBytes.add(change, ordering: .relaxed) }
        return change
    }

    /// The change of what is held for the handler, where it is worth telling.
    func countInbound(_ state: inout State) -> Int {
        let change = state.inbound.counted.change(to: state.inbound.heldBytes)
        if change != 0 { countedBytes.add(change, ordering: .relaxed) }
        return change
    }

    /// Whether bytes of this call count in its connection's memory.
    var holdsMemory: Bool { countedBytes.load(ordering: .relaxed) != 0 }

    /// The call's stream is closed: what was queued on it is gone.
    func releaseMemory() {
        guard holdsMemory else { return }
        memory.add(-countedBytes.exchange(0, ordering: .relaxed))
    }

    /// Suspends a writer until there is room; throws where the call ends meanwhile.
    func waitForMemory() async throws {
        while memory.isShort {
            try Task.checkCancellation()
            if let ending = state.withLock({ $0.ending }) { throw ending }
            await withTaskCancellationHandler {
                await Sleeper.sleep { sleeper in
                    let (isKept, mustPost) = state.withLock { state in
                        guard state.ending == nil, memory.isShort,
                            state.outbound.writers.add(sleeper)
                        else { return (false, false) }
                        state.waitsForMemory = true
                        return (true, state.post())
                    }
                    // The loop looks again from time to time while somebody waits.
                    if mustPost { post() }
                    return isKept
                }
            } onCancel: {
                state.withLock { $0.outbound.writers.interrupt() }.wakeAll()
            }
        }
    }

    /// There may be room again: writers look for themselves.
    func memoryCameFree() {
        state.withLock { $0.outbound.writers.takeAll() }.wakeAll()
    }
}
