/// Tokens that are found in the text itself before anything else cuts it.
struct AddedTokens: Sendable {
    struct Token: Sendable {
        var id: TokenID
        var content: String
        var isSpecial = false
        var isNormalized = false
        var isSingleWord = false
        var stripsLeft = false
        var stripsRight = false
    }

    enum Part { case text([UInt8]), token(TokenID) }

    private(set) var tokens: [Token]
    private let normalizer: Normalizer?
    private var raw = ByteTrie()
    private var normalized = ByteTrie()

    init(_ tokens: [Token], normalizer: Normalizer?) {
        self.tokens = tokens
        self.normalizer = normalizer
        for (index, token) in tokens.enumerated() where !token.content.isEmpty {
            let content = Array(token.content.utf8)
            if token.isNormalized {
                normalized.insert(written(token), value: Int32(index))
            } else {
                raw.insert(content, value: Int32(index))
            }
        }
    }

    func adding(_ token: Token) -> AddedTokens {
        AddedTokens(tokens + [token], normalizer: normalizer)
    }

    /// A token's content as it stands in a text that was normalized, if it asks for such a text.
    func written(_ token: Token) -> [UInt8] {
        let content = Array(token.content.utf8)
        return token.isNormalized ? normalizer?.apply(content) ?? content : content
    }

    /// Cuts the text at tokens as they are written, normalizes the rest, and cuts again at those
    /// tokens that ask for normalized text.
    ///
    /// - Parameter special: whether special tokens are looked for, or are text like any other.
    func split(_ text: [UInt8], special: Bool) -> [Part] {
        cut(text, raw, special: special).flatMap { part -> [Part] in
            guard case .text(let bytes) = part else { return [part] }
            return cut(normalizer?.apply(bytes) ?? bytes, normalized, special: special)
        }
    }

    private func cut(_ text: [UInt8], _ trie: ByteTrie, special: Bool) -> [Part] {
        guard !text.isEmpty else { return [] }
        guard !trie.isEmpty else { return [.text(text)] }
        var parts: [Part] = []
        var start = 0
        var index = 0
        while index < text.count {
            guard let match = trie.longest(text, at: index) else {
                index += 1
                continue
            }
            let token = tokens[Int(match.value)]
            if token.isSpecial && !special
                || token.isSingleWord && !Self.standsAlone(text, index..<match.end)
            {
                index += 1
                continue
            }
            var left = index
            var right = match.end
            if token.stripsLeft {
                while left > start {
                    var last = left - 1
                    while last > start, text[last] & 0xC0 == 0x80 { last -= 1 }
                    guard Scalars.classify(text, at: last).kind == .space else { break }
                    left = last
                }
            }
            if token.stripsRight { right = Scalars.run(text, of: .space, from: right) }
            if left > start { parts.append(.text(Array(text[start..<left]))) }
            parts.append(.token(token.id))
            start = right
            index = right
        }
        if start < text.count { parts.append(.text(Array(text[start...]))) }
        return parts
    }

    private static func standsAlone(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        if range.upperBound < text.count,
            Scalars.isWord(Scalars.scalar(text, at: range.upperBound).value)
        {
            return false
        }
        var before = range.lowerBound - 1
        while before > 0, text[before] & 0xC0 == 0x80 { before -= 1 }
        return before < 0 || !Scalars.isWord(Scalars.scalar(text, at: before).value)
    }
}
