/// Finds the most probable sequence of pieces.
///
/// - Source: Kudo 2018, "Subword regularization", section 3.1; one pass over the text, keeping
///   the best path to each position, in single precision as SentencePiece does.
struct UnigramSearch: Sendable {
    private let trie: ByteTrie
    private let scores: [Float]
    private let isUserDefined: [Bool]
    private let unknownID: TokenID
    private let unknownScore: Float
    private let largestScore: Float

    /// How much worse an unknown character is than the worst piece.
    private static let unknownPenalty: Float = 10

    init(_ file: SentencePieceFile) {
        var trie = ByteTrie()
        var smallest = Float.greatestFiniteMagnitude
        var largest = -Float.greatestFiniteMagnitude
        for (index, piece) in file.pieces.enumerated() {
            if piece.type == .normal || piece.type == .userDefined {
                trie.insert(piece.text, value: Int32(index))
            }
            if piece.type == .normal {
                smallest = min(smallest, piece.score)
                largest = max(largest, piece.score)
            }
        }
        self.trie = trie
        scores = file.pieces.map(\.score)
        isUserDefined = file.pieces.map { $0.type == .userDefined }
        unknownID = file.unknownID
        unknownScore = smallest - Self.unknownPenalty
        largestScore = largest
    }

    private struct Step {
        var start = -1
        var id: TokenID = -1
        var score: Float = 0
    }

    func best(_ text: [UInt8]) -> [MergeSymbol] {
        var steps = [Step](repeating: Step(), count: text.count + 1)
        func offer(_ score: Double, from start: Int, to end: Int, id: TokenID) {
            if steps[end].start < 0 || score > Double(steps[end].score) {
                steps[end] = Step(start: start, id: id, score: Float(score))
            }
        }
        var start = 0
        while start < text.count {
            let character = min(Scalars.length(text[start]), text.count - start)
            let before = steps[start].score
            var hasCharacter = false
            var node: UInt64 = 0
            var index = start
            while index < text.count, let next = trie.step(node, text[index]) {
                index += 1
                node = next.node
                guard next.value >= 0 else { continue }
                let id = Int(next.value)
                let length = index - start
                let score =
                    isUserDefined[id]
                    ? Double(Float(length) * largestScore) - 0.1 : Double(scores[id])
                offer(score + Double(before), from: start, to: index, id: next.value)
                if length == character { hasCharacter = true }
            }
            if !hasCharacter {
                let score = unknownScore + before
                offer(Double(score), from: start, to: start + character, id: unknownID)
            }
            start += character
        }
        var path: [MergeSymbol] = []
        var end = text.count
        while end > 0, steps[end].start >= 0 {
            path.append(MergeSymbol(start: steps[end].start, end: end, id: steps[end].id))
            end = steps[end].start
        }
        return path.reversed()
    }
}
