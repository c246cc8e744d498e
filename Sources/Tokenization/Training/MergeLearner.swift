/// Learns byte-pair merges from counted words.
///
/// Pairs are numbered in the order in which they appear; among equally frequent pairs the
/// earliest is merged first, so that equal texts give equal vocabularies.
///
/// - Source: Sennrich, Haddow and Birch 2016, algorithm 1, with pair counts kept up to date.
struct MergeLearner {
    private var words: [[Int32]]
    private let wordCounts: [Int]
    private var pieces: [[UInt8]]
    private var numbers: [UInt64: Int] = [:]
    private var pairs: [(left: Int32, right: Int32)] = []
    private var pairCounts: [Int] = []
    private var wordsOfPair: [Set<Int>] = []

    init(_ counted: [(word: [UInt8], count: Int)]) {
        words = counted.map { $0.word.map(Int32.init) }
        wordCounts = counted.map(\.count)
        pieces = (0...255).map { [$0] }
        for index in words.indices { count(index, sign: 1) }
    }

    /// At most `limit` merges, each of a pair that occurs at least twice.
    func learn(_ limit: Int) -> [(left: [UInt8], right: [UInt8])] {
        var state = self
        var merges: [(left: [UInt8], right: [UInt8])] = []
        var known = Set(state.pieces)
        while merges.count < limit {
            var best = -1
            var bestCount = 1
            for (number, count) in state.pairCounts.enumerated() where count > bestCount {
                best = number
                bestCount = count
            }
            guard best >= 0 else { break }
            let pair = state.pairs[best]
            let left = state.pieces[Int(pair.left)]
            let right = state.pieces[Int(pair.right)]
            // Two ways to the same piece share its id: the first way stays the merge.
            guard known.insert(left + right).inserted else {
                state.pairCounts[best] = 0
                continue
            }
            state.merge(best, into: Int32(state.pieces.count))
            merges.append((left, right))
        }
        return merges
    }

    private mutating func count(_ index: Int, sign: Int) {
        let word = words[index]
        guard word.count > 1 else { return }
        for position in 1..<word.count {
            let key = UInt64(word[position - 1]) << 32 | UInt64(word[position])
            let number: Int
            if let known = numbers[key] {
                number = known
            } else {
                number = pairs.count
                numbers[key] = number
                pairs.append((word[position - 1], word[position]))
                pairCounts.append(0)
                wordsOfPair.append([])
            }
            pairCounts[number] += sign * wordCounts[index]
            if sign > 0 { wordsOfPair[number].insert(index) }
        }
    }

    private mutating func merge(_ number: Int, into id: Int32) {
        let pair = pairs[number]
        pieces.append(pieces[Int(pair.left)] + pieces[Int(pair.right)])
        for index in wordsOfPair[number].sorted() {
            count(index, sign: -1)
            var merged: [Int32] = []
            let word = words[index]
            var position = 0
            while position < word.count {
                if position + 1 < word.count, word[position] == pair.left,
                    word[position + 1] == pair.right
                {
                    merged.append(id)
                    position += 2
                } else {
                    merged.append(word[position])
                    position += 1
                }
            }
            words[index] = merged
            count(index, sign: 1)
        }
        wordsOfPair[number] = []
        pairCounts[number] = 0
    }
}
