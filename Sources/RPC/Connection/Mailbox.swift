import NIOCore
import Synchronization

/// What the tasks of a connection's calls have for its loop.
///
/// However many calls post, the loop is woken once; it takes them all, then flushes once.
final class Mailbox<Call: AnyObject & Sendable>: Sendable {
    private struct State {
        var calls: [Call] = []
        var isScheduled = false
    }

    let loop: any EventLoop
    private let state = Mutex(State())
    private let deliver: @Sendable ([Call]) -> Void

    /// - Parameter deliver: called on the loop.
    init(_ loop: any EventLoop, deliver: @escaping @Sendable ([Call]) -> Void) {
        self.loop = loop
        self.deliver = deliver
    }

    func post(_ call: Call) {
        let mustWake = state.withLock { state in
            state.calls.append(call)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustWake { loop.execute { self.drain() } }
    }

    private func drain() {
        let calls = state.withLock { state in
            state.isScheduled = false
            defer { state.calls = [] }
            return state.calls
        }
        deliver(calls)
    }
}
