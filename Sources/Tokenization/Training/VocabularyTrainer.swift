internal import FoundationEssentials

/// Makes a small byte-level vocabulary from texts and writes it as a `tokenizer.json`.
///
/// Texts are cut into words with their leading space, single digits (if asked for), runs of
/// symbols and runs of line ends; a token never crosses such a cut.
public struct VocabularyTrainer: Sendable {
    public enum Method: Sendable {
        /// Merges the most frequent pair until the vocabulary is full (byte-pair encoding).
        case merges
        /// Each word seen at least so often is one token, all others are bytes. Sequences of a
        /// small language become as short as they can, with no tokens for parts of words.
        case words(minimumCount: Int)
    }

    public enum Alphabet: Sendable {
        /// All 256 bytes have a token, so that any text can be encoded.
        case everyByte
        /// Only bytes seen in training have one; the others become `<unk>`.
        case seenBytes
    }

    public struct Settings: Sendable {
        public var method = Method.merges
        public var alphabet = Alphabet.everyByte
        /// The largest number of tokens, special ones included.
        public var maximumSize = 1024
        /// Whether every digit is a word of its own (with its leading space).
        public var splitsDigits = true
        /// Whether every letter is a word of its own (with its leading space).
        public var splitsLetters = false
        /// Pieces that are found whole in any text, such as a heading.
        public var addedTokens: [String] = []

        public init() {}
    }

    /// Pad, begin and end have the ids that LLaMA configurations take for granted: 0, 1, 2.
    static let special = ["<pad>", "<s>", "</s>"]
    static let unknown = "<unk>"

    private let settings: Settings
    private let pattern: WordPattern
    private let expression: String
    private var counts: [[UInt8]: Int] = [:]

    public init(_ settings: Settings) {
        self.settings = settings
        (pattern, expression) = WordPattern.trained(
            singleDigits: settings.splitsDigits, singleLetters: settings.splitsLetters)
    }

    /// Counts the words of one text.
    public mutating func add(_ text: String) {
        let bytes = Array(text.utf8)
        var start = 0
        for end in pattern.ends(bytes) {
            counts[Array(bytes[start..<end]), default: 0] += 1
            start = end
        }
    }

    /// The tokenizer; `Tokenizer.save` writes it.
    public func train() throws(TokenizationError) -> Tokenizer {
        guard !counts.isEmpty else { throw .untrainable(cause: "no text was added") }
        let words = counts.sorted { first, second in
            first.value == second.value
                ? first.key.lexicographicallyPrecedes(second.key) : first.value > second.value
        }
        var pieces = Self.special
        var alphabet = [UInt8](0...255)
        if case .seenBytes = settings.alphabet {
            pieces.append(Self.unknown)
            let seen = Set(words.flatMap(\.key))
            alphabet = alphabet.filter(seen.contains)
        }
        let base = pieces.count + alphabet.count
        guard base + settings.addedTokens.count <= settings.maximumSize else {
            throw .untrainable(
                cause: "a size of \(settings.maximumSize) is below the \(base) bytes and specials")
        }
        pieces += alphabet.map { String(Character(ByteAlphabet.scalars[Int($0)])) }
        let room = settings.maximumSize - settings.addedTokens.count
        var merges: [(String, String)] = []
        switch settings.method {
        case .words(let minimum):
            for word in words where word.key.count > 1 && word.value >= minimum {
                guard pieces.count < room else { break }
                pieces.append(Self.text(word.key))
            }
        case .merges:
            let learner = MergeLearner(words.map { ($0.key, $0.value) })
            for merge in learner.learn(room - base) {
                pieces.append(Self.text(merge.left + merge.right))
                merges.append((Self.text(merge.left), Self.text(merge.right)))
            }
        }
        return try Tokenizer.load(source(pieces: pieces, merges: merges))
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: ByteAlphabet.encode(bytes), as: UTF8.self)
    }

    private func source(pieces: [String], merges: [(String, String)]) -> TokenizerSource {
        func token(_ id: Int, _ content: String, special: Bool) -> JSONTree {
            .object([
                ("id", .number(Double(id))), ("content", .string(content)),
                ("single_word", .boolean(false)), ("lstrip", .boolean(false)),
                ("rstrip", .boolean(false)), ("normalized", .boolean(false)),
                ("special", .boolean(special)),
            ])
        }
        let specialCount = pieces.prefix(4).last == Self.unknown ? 4 : 3
        var added = pieces.prefix(specialCount).enumerated().map { token($0, $1, special: true) }
        for (index, content) in settings.addedTokens.enumerated() {
            added.append(token(pieces.count + index, content, special: false))
        }
        let hasUnknown = specialCount == 4
        var isWords = false
        if case .words = settings.method { isWords = true }
        let model: JSONTree = .object([
            ("type", .string("BPE")), ("dropout", .null),
            ("unk_token", hasUnknown ? .string(Self.unknown) : .null),
            ("continuing_subword_prefix", .null), ("end_of_word_suffix", .null),
            ("fuse_unk", .boolean(false)), ("byte_fallback", .boolean(false)),
            ("ignore_merges", .boolean(isWords)),
            ("vocab", .object(pieces.enumerated().map { ($1, .number(Double($0))) })),
            ("merges", .array(merges.map { .array([.string($0.0), .string($0.1)]) })),
        ])
        let file: JSONTree = .object([
            ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
            ("added_tokens", .array(added)), ("normalizer", .null),
            ("pre_tokenizer", preTokenizer()), ("post_processor", postProcessor()),
            ("decoder", byteLevel()), ("model", model),
        ])
        var configuration: [(key: String, value: JSONTree)] = [
            ("tokenizer_class", .string("PreTrainedTokenizerFast")),
            ("bos_token", .string("<s>")), ("eos_token", .string("</s>")),
            ("pad_token", .string("<pad>")),
            ("clean_up_tokenization_spaces", .boolean(false)),
        ]
        if hasUnknown { configuration.append(("unk_token", .string(Self.unknown))) }
        return TokenizerSource(
            format: .json, name: "tokenizer.json", bytes: Array((file.written() + "\n").utf8),
            configurations: ["tokenizer_config.json": .object(configuration)])
    }

    private func preTokenizer() -> JSONTree {
        let split: JSONTree = .object([
            ("type", .string("Split")),
            ("pattern", .object([("Regex", .string(expression))])),
            ("behavior", .string("Isolated")), ("invert", .boolean(false)),
        ])
        return .object([
            ("type", .string("Sequence")), ("pretokenizers", .array([split, byteLevel()])),
        ])
    }

    private func byteLevel() -> JSONTree {
        .object([
            ("type", .string("ByteLevel")), ("add_prefix_space", .boolean(false)),
            ("trim_offsets", .boolean(true)), ("use_regex", .boolean(false)),
        ])
    }

    /// Begins every sequence with `<s>`, as LLaMA's tokenizers do.
    private func postProcessor() -> JSONTree {
        func begin(_ type: Double) -> JSONTree {
            .object([
                ("SpecialToken", .object([("id", .string("<s>")), ("type_id", .number(type))]))
            ])
        }
        func text(_ name: String, _ type: Double) -> JSONTree {
            .object([("Sequence", .object([("id", .string(name)), ("type_id", .number(type))]))])
        }
        let token: JSONTree = .object([
            ("id", .string("<s>")), ("ids", .array([.number(1)])),
            ("tokens", .array([.string("<s>")])),
        ])
        return .object([
            ("type", .string("TemplateProcessing")), ("single", .array([begin(0), text("A", 0)])),
            ("pair", .array([begin(0), text("A", 0), begin(1), text("B", 1)])),
            ("special_tokens", .object([("<s>", token)])),
        ])
    }
}
