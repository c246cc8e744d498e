/// Chooses among connections that are ready.
struct Balancer {
    private let balancing: Balancing
    private var turn = 0
    private var random: UInt64

    init(_ balancing: Balancing, seed: UInt64) {
        self.balancing = balancing
        random = seed | 1
    }

    /// The index of the choice, given each candidate's load; nil of none.
    mutating func choose(_ count: Int, load: (Int) -> Int) -> Int? {
        guard count > 1 else { return count == 1 ? 0 : nil }
        switch balancing {
        case .roundRobin:
            turn = (turn + 1) % count
            return turn
        case .leastLoaded:
            // Starting anywhere makes ties random.
            let start = Int(nextRandom() % UInt64(count))
            var best = start
            var bestLoad = load(start)
            for step in 1..<count {
                let index = (start + step) % count
                let other = load(index)
                if other < bestLoad {
                    best = index
                    bestLoad = other
                }
            }
            return best
        }
    }

    /// - Source: Marsaglia 2003, "Xorshift RNGs".
    private mutating func nextRandom() -> UInt64 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return random
    }
}
