import NIOCore
import Synchronization

/// What the tasks of a connection's calls have for its loop.
///
/// However many calls post, the loop is woken once; it takes them all, then flushes once. While
/// the connection reads, they are held until it has read everything.
final class Mailbox<Call: AnyObject & Sendable>: Sendable {
    private struct State {
        var calls: [Call] = []
        var spare: [Call] = []
        /// Whether somebody will take the calls.
        var isExpected = false
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
            defer { state.isExpected = true }
            return !state.isExpected
        }
        if mustWake { loop.execute { self.drain() } }
    }

    /// Keeps posts until ``drain()``; called on the loop.
    ///
    /// - Returns: whether they were not kept or expected already; then `drain` must follow.
    func hold() -> Bool {
        state.withLock { state in
            defer { state.isExpected = true }
            return !state.isExpected
        }
    }

    /// Delivers what was posted; called on the loop.
    func drain() {
        var calls = state.withLock { state in
            state.isExpected = false
            let calls = state.calls
            state.calls = state.spare
            state.spare = []
            return calls
        }
        guard !calls.isEmpty else { return }
        deliver(calls)
        calls.removeAll(keepingCapacity: true)
        state.withLock { $0.spare = calls }
    }
}
