import Revising

/// Looks for what ends a section of a chain, in the bytes written so far.
enum SectionScanner {
    /// A heading that was found: where its blank line begins, where the next section begins, and
    /// its number.
    struct Found: Equatable {
        var start: Int
        var end: Int
        var number: Int
    }

    private static let hashes = Array("\n\n### ".utf8)

    /// The word of a heading that may come after a section.
    static func word(after section: Heading) -> [UInt8] {
        switch section {
        case .feedback: Array("Revision ".utf8)
        case .instruction, .input, .answer, .revision: Array("Feedback ".utf8)
        }
    }

    /// The first heading with this word, complete with its colon and line break.
    static func heading(
        _ word: [UInt8], in bytes: [UInt8], from start: Int
    ) -> Found? {
        var index = start
        while index < bytes.count {
            if bytes[index] == 0x0A, case .found(let found) = match(word, bytes, at: index) {
                return found
            }
            index += 1
        }
        return nil
    }

    /// Where an ending begins that may become a heading; the end of the bytes if none does.
    static func held(_ word: [UInt8], in bytes: [UInt8], from start: Int) -> Int {
        var index = max(start, bytes.count - 40)
        while index < bytes.count {
            if bytes[index] == 0x0A, case .cut = match(word, bytes, at: index) { return index }
            index += 1
        }
        return bytes.count
    }

    /// The first place of a text.
    static func find(_ text: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard !text.isEmpty, bytes.count - start >= text.count else { return nil }
        return (start...bytes.count - text.count).first { index in
            bytes[index] == text[0] && bytes[index..<index + text.count].elementsEqual(text)
        }
    }

    /// Where an ending begins that may become one of the texts.
    static func held(_ texts: [[UInt8]], in bytes: [UInt8], from start: Int) -> Int {
        var earliest = bytes.count
        for text in texts where !text.isEmpty {
            var index = max(start, bytes.count - text.count + 1)
            while index < earliest {
                if text.starts(with: bytes[index...]) { earliest = index }
                index += 1
            }
        }
        return earliest
    }

    private enum Match {
        case none, cut
        case found(Found)
    }

    private static func match(_ word: [UInt8], _ bytes: [UInt8], at start: Int) -> Match {
        var index = start
        for byte in hashes + word {
            guard index < bytes.count else { return .cut }
            guard bytes[index] == byte else { return .none }
            index += 1
        }
        var number = 0
        let digits = index
        while index < bytes.count, (0x30...0x39).contains(bytes[index]), index - digits < 9 {
            number = number * 10 + Int(bytes[index] - 0x30)
            index += 1
        }
        guard index < bytes.count else { return .cut }
        guard index > digits, bytes[index] == 0x3A else { return .none }
        guard index + 1 < bytes.count else { return .cut }
        guard bytes[index + 1] == 0x0A else { return .none }
        return .found(Found(start: start, end: index + 2, number: number))
    }

    /// Where the last sentence begins that is not finished; white space before it belongs to it,
    /// so that a verdict can be replaced together with its space.
    static func openSentence(in bytes: [UInt8], from start: Int) -> Int {
        var index = bytes.count
        while index > start {
            let byte = bytes[index - 1]
            if byte == 0x2E || byte == 0x21 || byte == 0x3F {
                let isEnd = index < bytes.count && isSpace(bytes[index])
                if isEnd { return index }
            }
            if byte == 0x0A, index < bytes.count { return trimmed(bytes, from: start, to: index) }
            index -= 1
        }
        return start
    }

    /// The end of a part without the white space that ends it.
    static func trimmed(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        var end = end
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return end
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D
    }
}
