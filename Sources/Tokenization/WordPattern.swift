/// A splitting pattern of the GPT-2 family, run by hand: what the regular expressions of those
/// tokenizers say, in the order in which they say it.
///
/// Each alternative is a rule; the first rule that matches at a position takes its piece:
/// contraction, letters, digits, symbols, line ends, white space.
struct WordPattern: Sendable, Equatable {
    enum Contractions: Sendable { case none, lowercase, anyCase }
    /// What may stand before a run of letters: a space, or any one character but a line end.
    enum Lead: Sendable { case space, anything }
    enum Digits: Sendable, Equatable {
        /// ` ?\p{N}+`
        case run
        /// ` ?\p{N}`
        case singleWithSpace
        /// `\p{N}{1,n}`
        case upTo(Int)
    }
    enum LineEnds: Sendable {
        case none
        /// `[\r\n]+`
        case runs
        /// `\s*[\r\n]+`
        case withSpaceBefore
    }

    var contractions = Contractions.anyCase
    var letters = Lead.anything
    /// Whether each letter is a piece of its own.
    var areLettersSingle = false
    var digits = Digits.upTo(3)
    /// Whether line ends after symbols belong to them.
    var symbolsTakeLineEnds = true
    var lineEnds = LineEnds.withSpaceBefore
    /// Whether white space that ends the text is one piece.
    var isTrailingSpaceWhole = false

    static let gpt2 = WordPattern(
        contractions: .lowercase, letters: .space, digits: .run, symbolsTakeLineEnds: false,
        lineEnds: .none)
    static let cl100k = WordPattern(isTrailingSpaceWhole: true)
    static let llama3 = WordPattern()
    static let qwen = WordPattern(digits: .upTo(1))

    /// The pattern that a regular expression stands for, if it is one of the family.
    init?(expression: String) {
        let known = Self.known.first { $0.expression.utf8.elementsEqual(expression.utf8) }
        guard let known else { return nil }
        self = known.pattern
    }

    init(
        contractions: Contractions = .anyCase, letters: Lead = .anything,
        areLettersSingle: Bool = false, digits: Digits = .upTo(3),
        symbolsTakeLineEnds: Bool = true, lineEnds: LineEnds = .withSpaceBefore,
        isTrailingSpaceWhole: Bool = false
    ) {
        self.contractions = contractions
        self.letters = letters
        self.areLettersSingle = areLettersSingle
        self.digits = digits
        self.symbolsTakeLineEnds = symbolsTakeLineEnds
        self.lineEnds = lineEnds
        self.isTrailingSpaceWhole = isTrailingSpaceWhole
    }

    /// The pattern of vocabularies trained here, and its regular expression.
    static func trained(singleDigits: Bool, singleLetters: Bool) -> (WordPattern, String) {
        let pattern = WordPattern(
            contractions: .none, letters: .space, areLettersSingle: singleLetters,
            digits: singleDigits ? .singleWithSpace : .run, symbolsTakeLineEnds: false,
            lineEnds: .runs)
        let expression =
            #" ?\p{L}\#(singleLetters ? "" : "+")| ?\p{N}\#(singleDigits ? "" : "+")"#
            + #"| ?[^\s\p{L}\p{N}]+|[\r\n]+|\s+(?!\S)|\s+"#
        return (pattern, expression)
    }

    private static let known: [(expression: String, pattern: WordPattern)] = {
        let tail = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
        let symbols = #"| ?[^\s\p{L}\p{N}]+[\r\n]*"#
        let head = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"#
        let gpt2 =
            #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
        let tiktoken =
            #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"#
            + #"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#
        let cl100kOld =
            #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}"#
            + #"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
        let ours = [(false, false), (false, true), (true, false), (true, true)].map {
            let (pattern, expression) = trained(singleDigits: $0.0, singleLetters: $0.1)
            return (expression, pattern)
        }
        return [
            (gpt2, .gpt2), (tiktoken, .cl100k), (cl100kOld, .llama3),
            (head + #"|\p{N}{1,3}"# + symbols + tail, .llama3),
            (head + #"|\p{N}"# + symbols + tail, .qwen),
        ] + ours
    }()

    /// The ends of the pieces of a text, in order; together they cover it.
    func ends(_ bytes: [UInt8]) -> [Int] {
        var ends: [Int] = []
        var index = 0
        while index < bytes.count {
            index = next(bytes, from: index)
            ends.append(index)
        }
        return ends
    }

    private func next(_ bytes: [UInt8], from start: Int) -> Int {
        if contractions != .none, bytes[start] == 0x27,
            let end = contraction(bytes, from: start)
        {
            return end
        }
        let first = Scalars.classify(bytes, at: start)
        let second: (kind: ScalarClass, end: Int)? =
            first.end < bytes.count ? Scalars.classify(bytes, at: first.end) : nil
        let isSpace = bytes[start] == 0x20
        let isLineEnd = bytes[start] == 0x0A || bytes[start] == 0x0D
        if first.kind == .letter {
            return areLettersSingle
                ? first.end : Scalars.run(bytes, of: .letter, from: first.end)
        }
        let mayLead = letters == .space ? isSpace : first.kind != .number && !isLineEnd
        if mayLead, let second, second.kind == .letter {
            return areLettersSingle
                ? second.end : Scalars.run(bytes, of: .letter, from: second.end)
        }
        if first.kind == .number { return numbers(bytes, from: start, after: first.end) }
        if isSpace, let second, second.kind == .number {
            switch digits {
            case .run: return Scalars.run(bytes, of: .number, from: second.end)
            case .singleWithSpace: return second.end
            case .upTo: break
            }
        }
        if first.kind == .other { return symbols(bytes, from: first.end) }
        if isSpace, let second, second.kind == .other { return symbols(bytes, from: second.end) }
        return spaces(bytes, from: start, isLineEnd: isLineEnd)
    }

    private func numbers(_ bytes: [UInt8], from start: Int, after first: Int) -> Int {
        switch digits {
        case .run: return Scalars.run(bytes, of: .number, from: first)
        case .singleWithSpace: return first
        case .upTo(let limit):
            var end = first
            var taken = 1
            while taken < limit, end < bytes.count {
                let next = Scalars.classify(bytes, at: end)
                if next.kind != .number { break }
                end = next.end
                taken += 1
            }
            return end
        }
    }

    private func symbols(_ bytes: [UInt8], from start: Int) -> Int {
        var end = Scalars.run(bytes, of: .other, from: start)
        guard symbolsTakeLineEnds else { return end }
        while end < bytes.count, bytes[end] == 0x0A || bytes[end] == 0x0D { end += 1 }
        return end
    }

    private func spaces(_ bytes: [UInt8], from start: Int, isLineEnd: Bool) -> Int {
        let end = Scalars.run(bytes, of: .space, from: start)
        if isTrailingSpaceWhole, end == bytes.count { return end }
        switch lineEnds {
        case .none: break
        case .runs:
            if isLineEnd {
                var stop = start
                while stop < end, bytes[stop] == 0x0A || bytes[stop] == 0x0D { stop += 1 }
                return stop
            }
        case .withSpaceBefore:
            var stop = end
            while stop > start, bytes[stop - 1] != 0x0A, bytes[stop - 1] != 0x0D { stop -= 1 }
            if stop > start { return stop }
        }
        if end == bytes.count { return end }
        // `\s+(?!\S)` leaves the last space to the word that follows it.
        var last = end - 1
        while last > start, bytes[last] & 0xC0 == 0x80 { last -= 1 }
        return last > start ? last : end
    }

    private func contraction(_ bytes: [UInt8], from start: Int) -> Int? {
        func letter(_ index: Int) -> (UInt8, Int) {
            guard index < bytes.count else { return (0, index) }
            let byte = bytes[index]
            if contractions == .lowercase { return (byte, index + 1) }
            // U+017F folds to s.
            if byte == 0xC5, index + 1 < bytes.count, bytes[index + 1] == 0xBF {
                return (UInt8(ascii: "s"), index + 2)
            }
            return (byte < 0x80 ? byte | 0x20 : byte, index + 1)
        }
        let (first, afterFirst) = letter(start + 1)
        switch first {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return afterFirst
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            let (second, end) = letter(afterFirst)
            return second == UInt8(ascii: "e") ? end : nil
        case UInt8(ascii: "l"):
            let (second, end) = letter(afterFirst)
            return second == UInt8(ascii: "l") ? end : nil
        default: return nil
        }
    }
}
