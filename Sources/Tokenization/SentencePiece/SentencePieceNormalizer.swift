/// Turns a text into the form in which SentencePiece looks for pieces.
struct SentencePieceNormalizer: Sendable {
    /// U+2581, which stands for a space.
    static let space: [UInt8] = [0xE2, 0x96, 0x81]

    let map: CharacterMap?
    let userDefined: ByteTrie
    let addsDummyPrefix: Bool
    let removesExtraSpaces: Bool
    let escapesSpaces: Bool
    let isSpaceSuffix: Bool

    init(_ file: SentencePieceFile, userDefined: ByteTrie) throws(TokenizationError) {
        map = file.characterMap.isEmpty ? nil : try CharacterMap(file.characterMap)
        self.userDefined = userDefined
        addsDummyPrefix = file.addsDummyPrefix
        removesExtraSpaces = file.removesExtraSpaces
        escapesSpaces = file.escapesSpaces
        isSpaceSuffix = file.isSpaceSuffix
    }

    func normalize(_ text: [UInt8]) -> [UInt8] {
        var index = 0
        if removesExtraSpaces {
            while index < text.count {
                let (part, end) = prefix(text, at: index)
                guard part.elementsEqual([0x20]) else { break }
                index = end
            }
        }
        guard index < text.count else { return [] }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 16)
        let space = escapesSpaces ? Self.space : [0x20]
        if addsDummyPrefix, !isSpaceSuffix { result += space }
        var isAfterSpace = removesExtraSpaces
        while index < text.count {
            let (whole, end) = prefix(text, at: index)
            var part = whole
            while isAfterSpace, part.first == 0x20 { part.removeFirst() }
            for byte in part {
                if byte == 0x20 { result += space } else { result.append(byte) }
            }
            if let last = part.last { isAfterSpace = last == 0x20 }
            if !removesExtraSpaces { isAfterSpace = false }
            index = end
        }
        if removesExtraSpaces {
            while result.count >= space.count, result.suffix(space.count).elementsEqual(space) {
                result.removeLast(space.count)
            }
        }
        if addsDummyPrefix, isSpaceSuffix { result += space }
        return result
    }

    /// The normal form of the shortest part at a position that can be treated alone.
    private func prefix(_ text: [UInt8], at index: Int) -> (ArraySlice<UInt8>, Int) {
        if let symbol = userDefined.longest(text, at: index) {
            return (text[index..<symbol.end], symbol.end)
        }
        if let match = map?.longest(text, at: index) { return (match.replacement, match.end) }
        let end = min(index + Scalars.length(text[index]), text.count)
        return (text[index..<end], end)
    }
}
