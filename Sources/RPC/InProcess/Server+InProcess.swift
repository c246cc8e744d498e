import NIOCore
import Synchronization

extension Server {
    /// Serves the clients of this process until the server is drained.
    func accept(_ links: AsyncStream<InProcessLink>) async {
        await withDiscardingTaskGroup { group in
            for await link in links { group.addTask { await link.run() } }
        }
    }

    /// Takes a client of this process; false where the server takes no connections any more.
    func take(_ link: InProcessLink) -> Bool {
        let isTaken = state.withLock { state in
            guard case .listening = state.phase, let listener = state.inProcessListener else {
                return false
            }
            state.inProcess[ObjectIdentifier(link)] = link
            listener.yield(link)
            return true
        }
        guard isTaken else { return false }
        link.closeFuture.whenComplete { _ in
            self.state.withLock { $0.inProcess[ObjectIdentifier(link)] = nil }
        }
        return true
    }

    func drainInProcess() {
        let (links, listener) = state.withLock { state in
            (Array(state.inProcess.values), state.inProcessListener)
        }
        listener?.finish()
        for link in links { link.drain() }
    }

    func closeInProcess() {
        let (links, listener) = state.withLock { state in
            (Array(state.inProcess.values), state.inProcessListener)
        }
        listener?.finish()
        for link in links { link.close() }
    }
}
