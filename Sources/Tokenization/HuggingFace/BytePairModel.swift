/// The BPE model of a `tokenizer.json`.
struct BytePairModel: Sendable {
    let vocabulary: PieceTable
    private let ranking: PairTable
    private let unknownID: TokenID?
    private let fusesUnknown: Bool
    private let ignoresMerges: Bool
    /// The ids of `<0x00>` … `<0xFF>`, when characters outside the vocabulary become bytes.
    private let byteIDs: [TokenID]?

    init(_ section: BytePairSection) throws(TokenizationError) {
        vocabulary = section.vocabulary
        ignoresMerges = section.ignoresMerges
        fusesUnknown = section.fusesUnknown
        unknownID = section.unknown.flatMap { [vocabulary = section.vocabulary] in
            vocabulary.id(of: Array($0.utf8))
        }
        if section.hasByteFallback {
            let ids = (0..<256).compactMap { byte in
                let digits = String(byte, radix: 16, uppercase: true)
                let name = "<0x" + (digits.count < 2 ? "0" : "") + digits + ">"
                return section.vocabulary.id(of: Array(name.utf8))
            }
            byteIDs = ids.count == 256 ? ids : nil
        } else {
            byteIDs = nil
        }
        ranking = try PairTable(section)
    }

    func encode(_ word: [UInt8]) -> [TokenID] {
        if ignoresMerges, let id = vocabulary.id(of: word) { return [id] }
        var symbols: [MergeSymbol] = []
        symbols.reserveCapacity(word.count)
        var pending: MergeSymbol?
        var index = 0
        while index < word.count {
            let end = min(index + Scalars.length(word[index]), word.count)
            if let id = vocabulary.id(of: word, from: index, to: end) {
                if let unknown = pending { symbols.append(unknown) }
                pending = nil
                symbols.append(MergeSymbol(start: index, end: end, id: id))
            } else if let byteIDs {
                for byte in index..<end {
                    symbols.append(
                        MergeSymbol(start: byte, end: byte + 1, id: byteIDs[Int(word[byte])]))
                }
            } else if let unknownID {
                if fusesUnknown, let unknown = pending {
                    pending = MergeSymbol(start: Int(unknown.start), end: end, id: unknownID)
                } else {
                    if let unknown = pending { symbols.append(unknown) }
                    pending = MergeSymbol(start: index, end: end, id: unknownID)
                }
            }
            index = end
        }
        if let unknown = pending { symbols.append(unknown) }
        return mergePairs(word, symbols, by: ranking).map(\.id)
    }
}

/// What the model section of a `tokenizer.json` holds.
struct BytePairSection {
    var vocabulary = PieceTable()
    /// The two pieces of each merge, first merge first.
    var merges: [(left: [UInt8], right: [UInt8])] = []
    var unknown: String?
    var fusesUnknown = false
    var hasByteFallback = false
    var ignoresMerges = false
}

/// Merges by the pair of ids, in the order of the file.
private struct PairTable: PairRanking, Sendable {
    private var table: IntegerTable

    init(_ section: BytePairSection) throws(TokenizationError) {
        table = IntegerTable(expecting: section.merges.count)
        for (rank, merge) in section.merges.enumerated() {
            guard let left = section.vocabulary.id(of: merge.left),
                let right = section.vocabulary.id(of: merge.right),
                let merged = section.vocabulary.id(of: merge.left + merge.right)
            else {
                throw .malformed(
                    format: "tokenizer.json", offset: rank,
                    cause: "merge \(rank) names a piece that the vocabulary lacks")
            }
            let key = Self.key(left, right)
            if table[key] == nil { table[key] = UInt64(rank) << 32 | UInt64(UInt32(merged)) }
        }
    }

    private static func key(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    func merge(
        _ text: [UInt8], _ left: MergeSymbol, _ right: MergeSymbol
    ) -> (rank: UInt32, id: TokenID)? {
        guard let value = table[Self.key(left.id, right.id)] else { return nil }
        return (UInt32(value >> 32), TokenID(truncatingIfNeeded: value))
    }
}
