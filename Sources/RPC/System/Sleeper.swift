/// A task that waits to be woken, exactly once.
///
/// Holds the runtime's continuation without the checks of its debug form, which cost an allocation
/// for each wait: those who keep sleepers are ``Waiters`` and ``CallTask``, and they take each out
/// as they wake it.
@safe struct Sleeper: Sendable {
    private let continuation: UnsafeContinuation<Void, Never>

    private init(_ continuation: UnsafeContinuation<Void, Never>) {
        unsafe self.continuation = unsafe continuation
    }

    func wake() {
        unsafe continuation.resume()
    }

    /// Suspends the task; `keep` says whether it took the sleeper, else the task goes on.
    static func sleep(_ keep: (Sleeper) -> Bool) async {
        await unsafe withUnsafeContinuation { continuation in
            let sleeper = unsafe Sleeper(continuation)
            if !keep(sleeper) { sleeper.wake() }
        }
    }
}

/// The sleepers to wake after a change: mostly none or one, which costs no allocation.
struct Sleepers: Sendable {
    private var first: Sleeper?
    private var others: [Sleeper] = []

    var isEmpty: Bool { first == nil }

    mutating func append(_ sleeper: Sleeper) {
        if first == nil { first = sleeper } else { others.append(sleeper) }
    }

    mutating func append(contentsOf sleepers: Sleepers) {
        if let sleeper = sleepers.first { append(sleeper) }
        for sleeper in sleepers.others { append(sleeper) }
    }

    static func + (left: Sleepers, right: Sleepers) -> Sleepers {
        var all = left
        all.append(contentsOf: right)
        return all
    }

    func wakeAll() {
        first?.wake()
        for sleeper in others { sleeper.wake() }
    }
}
