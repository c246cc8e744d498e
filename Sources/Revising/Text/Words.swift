/// A word of a feedback: small letters, and where it stands.
struct Word {
    /// ASCII letters small; inner apostrophes kept, typographic ones made plain.
    var text: String
    /// In bytes of the feedback.
    var range: Range<Int>
    /// The sentence it belongs to, counted from 0.
    var sentence: Int
    /// Whether a comma, colon, dash or bracket stands between it and the word before.
    var followsBreak: Bool
}

/// Cuts a feedback into words and sentences.
enum Words {
    static func words(in text: Bytes) -> [Word] {
        var words: [Word] = []
        var sentence = 0
        var followsBreak = true
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            if byte.isWordPart {
                let end = wordEnd(from: index, in: text)
                words.append(
                    Word(
                        text: spelling(text[index..<end]), range: index..<end, sentence: sentence,
                        followsBreak: followsBreak))
                followsBreak = false
                index = end
                continue
            }
            if byte == .newline || endsSentence(at: index, in: text) {
                sentence += 1
                followsBreak = true
            } else if breaks.contains(byte) {
                followsBreak = true
            }
            index += 1
        }
        return words
    }

    private static let breaks = Set(",:()-".utf8)

    private static func wordEnd(from start: Int, in text: Bytes) -> Int {
        var end = start
        while end < text.endIndex {
            let joins =
                (text[end] == UInt8(ascii: "'") || text[end] == UInt8(ascii: "_"))
                && end + 1 < text.endIndex && text[end + 1].isWordPart
            guard text[end].isWordPart || joins else { break }
            end += 1
        }
        return end
    }

    private static func spelling(_ word: Bytes) -> String {
        let small = word.lowercased.text
        return small.utf8.contains { $0 >= 128 } ? plain(small) : small
    }

    /// U+2019 as an apostrophe, and without other quotation marks.
    private static func plain(_ word: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in word.unicodeScalars {
            switch scalar {
            case "\u{2019}", "\u{2018}": scalars.append("'")
            case "\u{201C}", "\u{201D}", "\u{2014}", "\u{2013}", "\u{2026}": continue
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// `!`, `?`, `;`, or a full stop that is not within a number or a name such as `math.sqrt`.
    private static func endsSentence(at index: Int, in text: Bytes) -> Bool {
        switch text[index] {
        case UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: ";"): return true
        case .dot:
            guard index + 1 < text.endIndex else { return true }
            let next = text[index + 1]
            if next.isDigit || next.isLowercase || next == UInt8(ascii: "_") { return false }
            return true
        default: return false
        }
    }
}

extension UInt8 {
    fileprivate var isWordPart: Bool { isLetter || isDigit }
}
