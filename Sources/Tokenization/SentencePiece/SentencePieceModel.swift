/// Encodes with a SentencePiece vocabulary: by merging pairs, or by the most probable path.
struct SentencePieceModel: Sendable {
    let pieces: PieceTable
    let normalizer: SentencePieceNormalizer
    let hasByteFallback: Bool
    let unknownID: TokenID
    /// The id of each byte, where the vocabulary has byte pieces.
    let byteIDs: [TokenID]
    private let types: [SentencePieceFile.PieceType]
    private let kind: SentencePieceFile.Kind
    private let ranking: ScoreRanking
    private let userDefined: ByteTrie
    private let unigram: UnigramSearch?

    init(_ file: SentencePieceFile) throws(TokenizationError) {
        var table = PieceTable(expecting: file.pieces.count)
        var userDefined = ByteTrie()
        var byteIDs = [TokenID](repeating: -1, count: 256)
        for (index, piece) in file.pieces.enumerated() {
            let id = TokenID(index)
            let isFindable = piece.type == .normal || piece.type == .userDefined
            table.insert(piece.text, id: id, findable: isFindable)
            if piece.type == .userDefined { userDefined.insert(piece.text, value: id) }
            if piece.type == .byte {
                guard let byte = Self.byte(piece.text) else {
                    throw .malformed(
                        format: "SentencePiece model", offset: index, cause: "a byte piece's name")
                }
                byteIDs[Int(byte)] = id
            }
            if piece.type == .unused {
                throw .unsupported(
                    feature: "unused piece", value: String(decoding: piece.text, as: UTF8.self))
            }
        }
        guard !file.hasByteFallback || byteIDs.allSatisfy({ $0 >= 0 }) else {
            throw .malformed(
                format: "SentencePiece model", offset: 0, cause: "byte pieces are missing")
        }
        pieces = table
        types = file.pieces.map(\.type)
        kind = file.kind
        hasByteFallback = file.hasByteFallback
        unknownID = file.unknownID
        self.byteIDs = byteIDs
        self.userDefined = userDefined
        normalizer = try SentencePieceNormalizer(file, userDefined: userDefined)
        ranking = ScoreRanking(table, scores: file.pieces.map(\.score))
        unigram = file.kind == .unigram ? UnigramSearch(file) : nil
    }

    /// The byte that `<0x0A>` names.
    static func byte(_ name: some Collection<UInt8>) -> UInt8? {
        let text = String(decoding: name, as: UTF8.self)
        guard text.utf8.count == 6, text.hasPrefix("<0x"), text.hasSuffix(">") else { return nil }
        return UInt8(text.dropFirst(3).dropLast(), radix: 16)
    }

    func type(of id: TokenID) -> SentencePieceFile.PieceType? {
        id >= 0 && Int(id) < types.count ? types[Int(id)] : nil
    }

    func encode(_ text: [UInt8]) -> [TokenID] {
        let normal = normalizer.normalize(text)
        if let unigram { return emit(normal, unigram.best(normal)) }
        var symbols: [MergeSymbol] = []
        symbols.reserveCapacity(normal.count)
        var index = 0
        while index < normal.count {
            if let symbol = userDefined.longest(normal, at: index) {
                symbols.append(
                    MergeSymbol(start: index, end: symbol.end, id: symbol.value, isFrozen: true))
                index = symbol.end
            } else {
                let end = min(index + Scalars.length(normal[index]), normal.count)
                let id = pieces.id(of: normal, from: index, to: end) ?? -1
                symbols.append(MergeSymbol(start: index, end: end, id: id))
                index = end
            }
        }
        return emit(normal, mergePairs(normal, symbols, by: ranking))
    }

    /// Ids of symbols: an unknown one becomes its bytes, or joins its unknown neighbours.
    private func emit(_ text: [UInt8], _ symbols: [MergeSymbol]) -> [TokenID] {
        var ids: [TokenID] = []
        ids.reserveCapacity(symbols.count)
        var isAfterUnknown = false
        for symbol in symbols {
            let isUnknown = symbol.id < 0 || symbol.id == unknownID
            if !isUnknown {
                ids.append(symbol.id)
            } else if hasByteFallback {
                for index in symbol.start..<symbol.end {
                    ids.append(byteIDs[Int(text[Int(index)])])
                }
            } else if !isAfterUnknown {
                ids.append(unknownID)
            }
            isAfterUnknown = isUnknown
        }
        return ids
    }
}

/// Merges what concatenates to a piece, best score first.
private struct ScoreRanking: PairRanking, Sendable {
    let pieces: PieceTable
    /// The place of each id's score among all scores, best first; equal scores share it.
    let ranks: [UInt32]

    init(_ pieces: PieceTable, scores: [Float]) {
        self.pieces = pieces
        var ranks = [UInt32](repeating: 0, count: scores.count)
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        var rank: UInt32 = 0
        for (place, id) in order.enumerated() {
            if place > 0, scores[order[place - 1]] != scores[id] { rank += 1 }
            ranks[id] = rank
        }
        self.ranks = ranks
    }

    func merge(
        _ text: [UInt8], _ left: MergeSymbol, _ right: MergeSymbol
    ) -> (rank: UInt32, id: TokenID)? {
        guard let id = pieces.id(of: text, from: Int(left.start), to: Int(right.end)) else {
            return nil
        }
        return (ranks[Int(id)], id)
    }
}
