/// Calls that wait for a connection, in the order they came; one may leave at any time.
///
/// Every operation takes constant time on average.
struct WaitingCalls {
    private var calls: [ClientCall?] = []
    /// The number of the array's first place; numbers are never used again.
    private var base = 0
    private var head = 0
    private var numbers: [ObjectIdentifier: Int] = [:]

    var count: Int { numbers.count }

    mutating func append(_ call: ClientCall) {
        numbers[ObjectIdentifier(call)] = base + calls.count
        calls.append(call)
    }

    /// The call that waits longest.
    mutating func first() -> ClientCall? {
        while head < calls.count {
            if let call = calls[head] { return call }
            head += 1
        }
        calls.removeAll(keepingCapacity: calls.capacity <= 1024)
        base += head
        head = 0
        return nil
    }

    /// False where the call does not wait.
    @discardableResult
    mutating func remove(_ call: ClientCall) -> Bool {
        guard let number = numbers.removeValue(forKey: ObjectIdentifier(call)) else { return false }
        calls[number - base] = nil
        if head >= 64, head * 2 > calls.count {
            calls.removeFirst(head)
            base += head
            head = 0
        } else if calls.count > 64 + 4 * numbers.count {
            closeGaps()
        }
        return true
    }

    /// Moves those who wait together: they may have left behind one who waits for ever.
    private mutating func closeGaps() {
        base += calls.count
        calls = calls.filter { $0 != nil }
        head = 0
        for (place, call) in calls.enumerated() {
            if let call { numbers[ObjectIdentifier(call)] = base + place }
        }
    }

    /// Takes those that are asked for.
    mutating func takeAll(where isTaken: (ClientCall) -> Bool = { _ in true }) -> [ClientCall] {
        let taken = calls.dropFirst(head).compactMap { $0 }.filter(isTaken)
        for call in taken { remove(call) }
        return taken
    }
}
