/// One symbol of a text while neighbours merge: a byte range and its id (-1 when it has none).
struct MergeSymbol {
    var start: Int32
    var end: Int32
    var id: TokenID
    /// A symbol that never merges, such as a user-defined one.
    var isFrozen = false
    fileprivate var previous: Int32 = -1
    fileprivate var next: Int32 = -1

    init(start: Int, end: Int, id: TokenID, isFrozen: Bool = false) {
        self.start = Int32(start)
        self.end = Int32(end)
        self.id = id
        self.isFrozen = isFrozen
    }
}

/// Says whether two neighbours merge, how early, and into what.
protocol PairRanking {
    func merge(
        _ text: [UInt8], _ left: MergeSymbol, _ right: MergeSymbol
    ) -> (rank: UInt32, id: TokenID)?
}

/// Merges neighbours, lowest rank first and leftmost among equals, until none merges.
///
/// A heap of candidates over a linked list: n log n, also for a text that is one long word.
func mergePairs(
    _ text: [UInt8], _ symbols: [MergeSymbol], by ranking: some PairRanking
) -> [MergeSymbol] {
    guard symbols.count > 1 else { return symbols }
    var symbols = symbols
    var queue = CandidateQueue()
    for index in symbols.indices {
        symbols[index].previous = Int32(index - 1)
        symbols[index].next = index + 1 < symbols.count ? Int32(index + 1) : -1
    }
    func consider(_ left: Int32, _ right: Int32) {
        guard left >= 0, right >= 0 else { return }
        let first = symbols[Int(left)]
        let second = symbols[Int(right)]
        guard !first.isFrozen, !second.isFrozen,
            let merged = ranking.merge(text, first, second)
        else { return }
        queue.push(
            Candidate(
                key: UInt64(merged.rank) << 32 | UInt64(UInt32(left)), right: right,
                end: second.end, id: merged.id))
    }
    for index in 0..<Int32(symbols.count - 1) { consider(index, index + 1) }
    while let best = queue.pop() {
        let left = Int(best.key & 0xFFFF_FFFF)
        let right = Int(best.right)
        // A candidate is stale once either side has merged with something else.
        guard symbols[left].end == symbols[right].start, symbols[right].end == best.end,
            symbols[left].next == best.right
        else { continue }
        symbols[left].end = best.end
        symbols[left].id = best.id
        symbols[left].next = symbols[right].next
        symbols[right].start = symbols[right].end
        symbols[right].previous = -1
        let next = symbols[left].next
        symbols[right].next = -1
        if next >= 0 { symbols[Int(next)].previous = Int32(left) }
        consider(symbols[left].previous, Int32(left))
        consider(Int32(left), next)
    }
    return symbols.filter { $0.start < $0.end }
}

/// A possible merge; the key is the rank, then the left symbol's index.
private struct Candidate {
    var key: UInt64
    var right: Int32
    var end: Int32
    var id: TokenID
}

/// A binary heap, smallest key first.
private struct CandidateQueue {
    private var heap: [Candidate] = []

    mutating func push(_ candidate: Candidate) {
        heap.append(candidate)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].key <= candidate.key { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = candidate
    }

    mutating func pop() -> Candidate? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        var hole = 0
        while true {
            var child = hole * 2 + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1].key < heap[child].key { child += 1 }
            if heap[child].key >= last.key { break }
            heap[hole] = heap[child]
            hole = child
        }
        heap[hole] = last
        return first
    }
}
