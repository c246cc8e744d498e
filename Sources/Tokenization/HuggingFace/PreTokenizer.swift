/// The pre-tokenizers of a `tokenizer.json`: they cut a text into the words the model sees.
indirect enum PreTokenizer: Sendable {
    enum Behavior: String, Sendable {
        case isolated = "Isolated"
        case removed = "Removed"
        case mergedWithPrevious = "MergedWithPrevious"
        case mergedWithNext = "MergedWithNext"
        case contiguous = "Contiguous"
    }
    enum Splitter: Sendable {
        case pattern(WordPattern)
        case literal([UInt8])
        case digits
        case space
        case punctuation
        /// `\w+|[^\w\s]+`
        case wordsAndSymbols
    }
    enum PrependScheme: String, Sendable { case always, first, never }

    case sequence([PreTokenizer])
    case byteLevel(addsSpace: Bool, pattern: WordPattern?)
    case split(Splitter, Behavior, isInverted: Bool)
    case metaspace(replacement: [UInt8], scheme: PrependScheme, splits: Bool)

    init?(_ tree: JSONTree?) throws(TokenizationError) {
        guard let tree, let type = tree["type"]?.text else { return nil }
        switch type {
        case "Sequence":
            var parts: [PreTokenizer] = []
            for element in tree["pretokenizers"]?.elements ?? [] {
                if let part = try PreTokenizer(element) { parts.append(part) }
            }
            self = .sequence(parts)
        case "ByteLevel":
            self = .byteLevel(
                addsSpace: tree["add_prefix_space"]?.flag ?? true,
                pattern: tree["use_regex"]?.flag ?? true ? .gpt2 : nil)
        case "Split": self = try Self.split(tree)
        case "Digits":
            let isSingle = tree["individual_digits"]?.flag ?? false
            self = .split(.digits, isSingle ? .isolated : .contiguous, isInverted: false)
        case "Whitespace": self = .split(.wordsAndSymbols, .removed, isInverted: true)
        case "WhitespaceSplit": self = .split(.space, .removed, isInverted: false)
        case "Punctuation":
            let behavior = try Self.behavior(tree["behavior"]?.text ?? "Isolated")
            self = .split(.punctuation, behavior, isInverted: false)
        case "Metaspace":
            let scheme =
                tree["prepend_scheme"]?.text
                ?? (tree["add_prefix_space"]?.flag ?? true ? "always" : "never")
            guard let known = PrependScheme(rawValue: scheme) else {
                throw .unsupported(feature: "prepend scheme", value: scheme)
            }
            self = .metaspace(
                replacement: Array((tree["replacement"]?.text ?? "\u{2581}").utf8), scheme: known,
                splits: tree["split"]?.flag ?? true)
        default: throw .unsupported(feature: "pre-tokenizer", value: type)
        }
    }

    private static func split(_ tree: JSONTree) throws(TokenizationError) -> PreTokenizer {
        let behavior = try behavior(tree["behavior"]?.text ?? "Isolated")
        let isInverted = tree["invert"]?.flag ?? false
        if let literal = tree["pattern"]?["String"]?.text, !literal.isEmpty {
            return .split(.literal(Array(literal.utf8)), behavior, isInverted: isInverted)
        }
        let expression = tree["pattern"]?["Regex"]?.text ?? ""
        if let pattern = WordPattern(expression: expression) {
            return .split(.pattern(pattern), behavior, isInverted: isInverted)
        }
        switch expression {
        case #"\s"#: return .split(.space, behavior, isInverted: isInverted)
        case #"\p{N}"#: return .split(.digits, behavior, isInverted: isInverted)
        default: throw .unsupported(feature: "Split expression", value: expression)
        }
    }

    private static func behavior(_ name: String) throws(TokenizationError) -> Behavior {
        guard let behavior = Behavior(rawValue: name) else {
            throw .unsupported(feature: "Split behavior", value: name)
        }
        return behavior
    }

    /// Cuts words further; `isFirst` says whether the first of them begins the text.
    func apply(_ words: [[UInt8]], isFirst: Bool) -> [[UInt8]] {
        switch self {
        case .sequence(let parts):
            return parts.reduce(words) { $1.apply($0, isFirst: isFirst) }
        case .byteLevel(let addsSpace, let pattern):
            return words.flatMap { word -> [[UInt8]] in
                var word = word
                if addsSpace, !word.isEmpty, Scalars.classify(word, at: 0).kind != .space {
                    word.insert(0x20, at: 0)
                }
                guard let pattern else { return [ByteAlphabet.encode(word)] }
                var start = 0
                return pattern.ends(word).map { end in
                    defer { start = end }
                    return ByteAlphabet.encode(word[start..<end])
                }
            }
        case .split(let splitter, let behavior, let isInverted):
            return words.flatMap {
                Self.cut($0, splitter.matches($0), behavior, isInverted: isInverted)
            }
        case .metaspace(let replacement, let scheme, let splits):
            return words.enumerated().flatMap { index, word -> [[UInt8]] in
                var word = Normalizer.replace(word, [0x20], with: replacement)
                let isWanted = scheme == .always || scheme == .first && isFirst && index == 0
                if isWanted, !word.isEmpty, !Search.matches(word, replacement, at: 0) {
                    word = replacement + word
                }
                guard splits else { return [word] }
                let matches = Splitter.literal(replacement).matches(word)
                return Self.cut(word, matches, .mergedWithNext, isInverted: false)
            }
        }
    }

    /// Cuts a word at the matches as the behavior says; empty parts vanish.
    private static func cut(
        _ word: [UInt8], _ matches: [Range<Int>], _ behavior: Behavior, isInverted: Bool
    ) -> [[UInt8]] {
        var parts: [(range: Range<Int>, isMatch: Bool)] = []
        var end = 0
        for match in matches where !match.isEmpty {
            if match.lowerBound > end { parts.append((end..<match.lowerBound, isInverted)) }
            parts.append((match, !isInverted))
            end = match.upperBound
        }
        if end < word.count { parts.append((end..<word.count, isInverted)) }
        var joined: [Range<Int>] = []
        var wasMatch = false
        for part in parts {
            let joins =
                switch behavior {
                case .isolated, .removed: false
                case .mergedWithPrevious: part.isMatch && !wasMatch
                case .mergedWithNext: wasMatch && !part.isMatch
                case .contiguous: part.isMatch == wasMatch
                }
            if joins, let last = joined.popLast() {
                joined.append(last.lowerBound..<part.range.upperBound)
            } else if !(behavior == .removed && part.isMatch) {
                joined.append(part.range)
            }
            wasMatch = part.isMatch
        }
        return joined.map { Array(word[$0]) }
    }
}

extension PreTokenizer.Splitter {
    /// Where the splitter matches, from left to right.
    func matches(_ word: [UInt8]) -> [Range<Int>] {
        switch self {
        case .pattern(let pattern):
            var start = 0
            return pattern.ends(word).map { end in
                defer { start = end }
                return start..<end
            }
        case .literal(let literal):
            var matches: [Range<Int>] = []
            var index = 0
            while index < word.count {
                if Search.matches(word, literal, at: index) {
                    matches.append(index..<index + literal.count)
                    index += literal.count
                } else {
                    index += 1
                }
            }
            return matches
        case .digits: return singles(word) { Scalars.classify($0) == .number }
        case .space: return singles(word) { Scalars.classify($0) == .space }
        case .punctuation: return singles(word) { Scalars.isPunctuation($0) }
        case .wordsAndSymbols: return wordsAndSymbols(word)
        }
    }

    private func singles(_ word: [UInt8], where isMatch: (UInt32) -> Bool) -> [Range<Int>] {
        var matches: [Range<Int>] = []
        var index = 0
        while index < word.count {
            let (value, end) = Scalars.scalar(word, at: index)
            if isMatch(value) { matches.append(index..<end) }
            index = end
        }
        return matches
    }

    private func wordsAndSymbols(_ word: [UInt8]) -> [Range<Int>] {
        var matches: [(range: Range<Int>, isWord: Bool)] = []
        var index = 0
        while index < word.count {
            let (value, end) = Scalars.scalar(word, at: index)
            let isWord = Scalars.isWord(value)
            if isWord || Scalars.classify(value) != .space {
                if let last = matches.last, last.range.upperBound == index, last.isWord == isWord {
                    matches[matches.count - 1].range = last.range.lowerBound..<end
                } else {
                    matches.append((index..<end, isWord))
                }
            }
            index = end
        }
        return matches.map(\.range)
    }
}
