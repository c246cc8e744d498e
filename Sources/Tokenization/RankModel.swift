/// A tiktoken rank file: one line a piece, `base64 rank`; a piece's rank is its id.
struct RankModel: PairRanking, Sendable {
    let ranks: PieceTable
    private let pattern: WordPattern
    private let composes: Bool

    /// The families that share the format; the file does not say which it is, its size does.
    enum Family: Int, Sendable {
        case gpt2 = 50256
        case cl100k = 100_256
        case llama3 = 128_000
        case qwen = 151_643

        var pattern: WordPattern {
            switch self {
            case .gpt2: .gpt2
            case .cl100k: .cl100k
            case .llama3: .llama3
            case .qwen: .qwen
            }
        }

        /// The special tokens whose names are the same in every release of the family.
        var special: [(TokenID, String)] {
            switch self {
            case .gpt2: [(50256, "<|endoftext|>")]
            case .cl100k:
                [
                    (100_257, "<|endoftext|>"), (100_258, "<|fim_prefix|>"),
                    (100_259, "<|fim_middle|>"), (100_260, "<|fim_suffix|>"),
                    (100_276, "<|endofprompt|>"),
                ]
            case .llama3:
                [
                    (128_000, "<|begin_of_text|>"), (128_001, "<|end_of_text|>"),
                    (128_006, "<|start_header_id|>"), (128_007, "<|end_header_id|>"),
                    (128_009, "<|eot_id|>"),
                ]
            case .qwen:
                [
                    (151_643, "<|endoftext|>"), (151_644, "<|im_start|>"),
                    (151_645, "<|im_end|>"),
                ]
            }
        }
    }

    let family: Family

    init(_ bytes: [UInt8]) throws(TokenizationError) {
        var table = PieceTable(expecting: bytes.count / 16)
        var start = 0
        var line = 0
        while start < bytes.count {
            var end = start
            var space = -1
            while end < bytes.count, bytes[end] != 0x0A {
                if bytes[end] == 0x20 { space = end }
                end += 1
            }
            if end > start {
                guard space > start, let piece = Base64.decode(bytes, from: start, to: space),
                    let rank = Self.number(bytes, from: space + 1, to: end), rank <= bytes.count
                else {
                    throw .malformed(
                        format: "tiktoken rank file", offset: start,
                        cause: "line \(line + 1) is not `base64 rank`")
                }
                table.insert(piece, id: TokenID(rank))
                line += 1
            }
            start = end + 1
        }
        guard let family = Family(rawValue: table.count) else {
            throw .unsupported(feature: "rank file size", value: "\(table.count) ranks")
        }
        self.family = family
        pattern = family.pattern
        composes = family == .qwen
        ranks = table
    }

    private static func number(_ bytes: [UInt8], from: Int, to: Int) -> Int? {
        var value = 0
        var end = to
        if end > from, bytes[end - 1] == 0x0D { end -= 1 }
        guard end > from else { return nil }
        for index in from..<end {
            guard bytes[index] >= 0x30, bytes[index] <= 0x39, value < 1 << 30 else { return nil }
            value = value * 10 + Int(bytes[index] - 0x30)
        }
        return value
    }

    func encode(_ text: [UInt8]) -> [TokenID] {
        let text = composes ? Normalization.composed(text) : text
        var ids: [TokenID] = []
        var start = 0
        for end in pattern.ends(text) {
            defer { start = end }
            if let id = ranks.id(of: text, from: start, to: end) {
                ids.append(id)
                continue
            }
            let symbols = (start..<end).map {
                MergeSymbol(
                    start: $0, end: $0 + 1, id: ranks.id(of: text, from: $0, to: $0 + 1) ?? -1)
            }
            for symbol in mergePairs(text, symbols, by: self) where symbol.id >= 0 {
                ids.append(symbol.id)
            }
        }
        return ids
    }

    func merge(
        _ text: [UInt8], _ left: MergeSymbol, _ right: MergeSymbol
    ) -> (rank: UInt32, id: TokenID)? {
        guard let id = ranks.id(of: text, from: Int(left.start), to: Int(right.end)) else {
            return nil
        }
        return (UInt32(id), id)
    }
}

/// Base64 of short pieces, without an allocation for each character.
enum Base64 {
    private static let values: [Int8] = {
        var table = [Int8](repeating: -1, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, byte) in alphabet.utf8.enumerated() { table[Int(byte)] = Int8(value) }
        return table
    }()

    static func decode(_ bytes: [UInt8], from: Int, to: Int) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for index in from..<to where bytes[index] != UInt8(ascii: "=") {
            let value = values[Int(bytes[index])]
            guard value >= 0 else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
