/// Keys used in turn by item; those the server refuses are left aside while others are there.
package struct KeyRing: Sendable {
    package enum Removal: Sendable, Equatable {
        /// Left aside now; or before, by another request.
        case new, known
        /// The only one that is left: it stays.
        case last
    }

    private let count: Int
    private var refused: Set<Int> = []

    package init(count: Int) {
        self.count = max(1, count)
    }

    /// The key of an item: its own, or one of the others in turn.
    package func key(for item: Int) -> Int {
        let own = ((item % count) + count) % count
        guard refused.contains(own) else { return own }
        let left = (0..<count).filter { !refused.contains($0) }
        return left[abs(item / count) % left.count]
    }

    package mutating func leaveAside(_ key: Int) -> Removal {
        if refused.contains(key) { return .known }
        guard refused.count + 1 < count else { return .last }
        refused.insert(key)
        return .new
    }
}
