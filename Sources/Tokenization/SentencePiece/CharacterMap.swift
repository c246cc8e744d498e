/// SentencePiece's compiled character map: which character sequences become which text.
///
///     0        size of the trie in bytes, little-endian
///     4        the trie: a double array of 32-bit units
///     4+size   the replacements, each ended by a zero byte; the trie's values point into them
///
/// A unit holds a label (bits 0-7, and bit 31), whether it has a leaf (bit 8), and the offset to
/// its children (bits 10-30, shifted left by 8 where bit 9 is set); a leaf holds its value.
///
/// - Source: Yata, "Darts-clone"; Kudo and Richardson 2018, "SentencePiece".
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    init(_ bytes: [UInt8]) throws(TokenizationError) {
        func unit(_ offset: Int) -> UInt32 {
            UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8
                | UInt32(bytes[offset + 2]) << 16 | UInt32(bytes[offset + 3]) << 24
        }
        guard bytes.count >= 4 else {
            throw .malformed(format: "character map", offset: 0, cause: "it is cut")
        }
        let size = Int(unit(0))
        guard size % 4 == 0, size > 0, 4 + size <= bytes.count else {
            throw .malformed(format: "character map", offset: 0, cause: "a trie of \(size) bytes")
        }
        units = stride(from: 4, to: 4 + size, by: 4).map(unit)
        replacements = Array(bytes[(4 + size)...])
    }

    /// The replacement of the longest sequence at a position, and where that sequence ends.
    func longest(_ text: [UInt8], at start: Int) -> (replacement: ArraySlice<UInt8>, end: Int)? {
        var node = Int(units[0] >> 10) << Int((units[0] & 0x200) >> 6)
        var found: (value: Int, end: Int)?
        var index = start
        while index < text.count {
            node ^= Int(text[index])
            guard node < units.count else { break }
            let unit = units[node]
            guard unit & 0x8000_00FF == UInt32(text[index]) else { break }
            index += 1
            node ^= Int(unit >> 10) << Int((unit & 0x200) >> 6)
            if unit & 0x100 != 0, node < units.count {
                found = (Int(units[node] & 0x7FFF_FFFF), index)
            }
        }
        guard let found, found.value < replacements.count else { return nil }
        var end = found.value
        while end < replacements.count, replacements[end] != 0 { end += 1 }
        return (replacements[found.value..<end], found.end)
    }

    /// The whole text, mapped from left to right.
    func apply(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if let match = longest(text, at: index) {
                result.append(contentsOf: match.replacement)
                index = match.end
            } else {
                let end = min(index + Scalars.length(text[index]), text.count)
                result.append(contentsOf: text[index..<end])
                index = end
            }
        }
        return result
    }
}
