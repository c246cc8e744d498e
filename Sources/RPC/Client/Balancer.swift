/// Chooses among servers that are ready.
package struct Balancer {
    package let balancing: Balancing
    private var turn = 0
    private var random: UInt64

    package init(_ balancing: Balancing, seed: UInt64) {
        self.balancing = balancing
        random = seed | 1
    }

    /// The index of the choice, given each candidate's load; nil of none. Takes constant time.
    ///
    /// Two candidates at random, and the less loaded of them: nearly as even as asking all, and
    /// clients that know nothing of one another do not all choose the same.
    ///
    /// - Source: Mitzenmacher 2001, "The Power of Two Choices in Randomized Load Balancing".
    package mutating func choose(_ count: Int, load: (Int) -> Int) -> Int? {
        guard count > 1 else { return count == 1 ? 0 : nil }
        if case .roundRobin = balancing {
            turn = (turn + 1) % count
            return turn
        }
        let bits = nextRandom()
        let first = Self.scale(bits & 0xFFFF_FFFF, to: count)
        var second = Self.scale(bits >> 32, to: count - 1)
        if second >= first { second += 1 }
        return load(second) < load(first) ? second : first
    }

    /// A place to begin a search at.
    mutating func start(_ count: Int) -> Int {
        Self.scale(nextRandom() >> 32, to: count)
    }

    /// 32 random bits as a number below `count`.
    private static func scale(_ bits: UInt64, to count: Int) -> Int {
        Int((bits * UInt64(count)) >> 32)
    }

    /// - Source: Marsaglia 2003, "Xorshift RNGs".
    private mutating func nextRandom() -> UInt64 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return random
    }
}
