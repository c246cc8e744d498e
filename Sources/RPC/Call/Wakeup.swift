/// Tasks that wait until a call's state has changed; each looks again when it is woken.
struct Waiters {
    private var sleepers = Sleepers()
    /// Whether a wake-up came before its sleeper.
    private var isSkipped = false

    var isEmpty: Bool { sleepers.isEmpty }

    /// Keeps the sleeper; false where it must be woken at once.
    mutating func add(_ sleeper: Sleeper) -> Bool {
        if isSkipped {
            isSkipped = false
            return false
        }
        sleepers.append(sleeper)
        return true
    }

    mutating func takeAll() -> Sleepers {
        guard !sleepers.isEmpty else { return Sleepers() }
        defer { sleepers = Sleepers() }
        return sleepers
    }

    /// Like ``takeAll()``, but one who comes later does not sleep either.
    mutating func interrupt() -> Sleepers {
        isSkipped = sleepers.isEmpty
        return takeAll()
    }
}
