import Synchronization

/// Tasks that wait until a call's state has changed; each looks again when it is woken.
struct Waiters {
    private var continuations: [CheckedContinuation<Void, Never>] = []
    /// Whether a wake-up came before its sleeper.
    private var isSkipped = false

    var isEmpty: Bool { continuations.isEmpty }

    /// Keeps the continuation; false where it must be resumed at once.
    mutating func add(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        if isSkipped {
            isSkipped = false
            return false
        }
        continuations.append(continuation)
        return true
    }

    mutating func takeAll() -> [CheckedContinuation<Void, Never>] {
        guard !continuations.isEmpty else { return [] }
        defer { continuations = [] }
        return continuations
    }

    /// Like ``takeAll()``, but one who comes later does not sleep either.
    mutating func interrupt() -> [CheckedContinuation<Void, Never>] {
        isSkipped = continuations.isEmpty
        return takeAll()
    }
}

extension [CheckedContinuation<Void, Never>] {
    func resumeAll() {
        for continuation in self { continuation.resume() }
    }
}
