/// How pieces become text again.
enum PieceDecoder: Sendable {
    /// Every character of a piece stands for a byte.
    case byteLevel
    /// Pieces are the bytes themselves.
    case raw
    /// SentencePiece: U+2581 is a space, and the first of a text vanishes; where extra spaces are
    /// removed, every one before the first character does.
    case sentencePiece(stripsOne: Bool, stripsAll: Bool)
    /// Replacements in each piece, `<0x0A>` as a byte, and some leading characters dropped.
    case pieces(PieceRules)
    /// No decoder: pieces with spaces between them.
    case spaced

    struct PieceRules: Sendable {
        var replacements: [(pattern: [UInt8], content: [UInt8])] = []
        var hasByteFallback = false
        var stripped: UInt8 = 0x20
        var strippedCount = 0
    }

    init(_ tree: JSONTree) throws(TokenizationError) {
        guard let type = tree["type"]?.text else {
            self = .spaced
            return
        }
        if type == "ByteLevel" {
            self = .byteLevel
            return
        }
        var rules = PieceRules()
        let parts = type == "Sequence" ? tree["decoders"]?.elements ?? [] : [tree]
        for part in parts {
            switch part["type"]?.text ?? "" {
            case "ByteLevel" where parts.count == 1:
                self = .byteLevel
                return
            case "Replace":
                guard let pattern = part["pattern"]?["String"]?.text, !pattern.isEmpty else {
                    throw .unsupported(feature: "decoder pattern", value: "not a string")
                }
                let content = part["content"]?.text ?? ""
                rules.replacements.append((Array(pattern.utf8), Array(content.utf8)))
            case "ByteFallback": rules.hasByteFallback = true
            case "Fuse": break
            case "Strip":
                rules.stripped = (part["content"]?.text ?? " ").utf8.first ?? 0x20
                rules.strippedCount = part["start"]?.integer ?? 0
            case "Metaspace":
                let replacement = part["replacement"]?.text ?? "\u{2581}"
                rules.replacements.append((Array(replacement.utf8), [0x20]))
                let isNever =
                    part["prepend_scheme"]?.text == "never"
                    || part["add_prefix_space"]?.flag == false
                rules.strippedCount = isNever ? 0 : 1
            case let other: throw .unsupported(feature: "decoder", value: other)
            }
        }
        self = .pieces(rules)
    }
}

/// Turns a stream of ids into text, never cutting a character.
///
/// What `append` returns, joined, and then `finish`, is what `Tokenizer.decode` returns for the
/// same ids; bytes that are no UTF-8 become U+FFFD.
public struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecial: Bool
    private var repair: UTF8Repair
    private var isAtStart = true
    private var hasOutput = false
    private var leadingToStrip: Int
    /// A run of byte pieces that is judged as a whole, when `joinsRuns`.
    private var run: [UInt8] = []
    private let joinsRuns: Bool

    init(_ tokenizer: Tokenizer, skipsSpecial: Bool, joinsRuns: Bool) {
        self.tokenizer = tokenizer
        self.skipsSpecial = skipsSpecial
        leadingToStrip = 0
        var replacesEveryByte = false
        var hasRuns = false
        switch tokenizer.decoder {
        case .sentencePiece: replacesEveryByte = true
        case .pieces(let rules):
            replacesEveryByte = true
            leadingToStrip = rules.strippedCount
            hasRuns = rules.hasByteFallback
        default: break
        }
        self.joinsRuns = joinsRuns && hasRuns
        repair = UTF8Repair(replacesEveryByte: replacesEveryByte)
    }

    /// Whether a character has begun that is not complete, so that text is held back.
    public var isHolding: Bool { repair.isHolding || !run.isEmpty }

    /// The text that this id completes; empty while a character is incomplete.
    public mutating func append(_ id: TokenID) -> String {
        String(decoding: bytes(appending: id), as: UTF8.self)
    }

    /// The text that was held back; an incomplete character becomes U+FFFD.
    public mutating func finish() -> String {
        var output: [UInt8] = []
        endRun(into: &output)
        return String(decoding: strip(output), as: UTF8.self)
    }

    mutating func bytes(appending id: TokenID) -> [UInt8] {
        if skipsSpecial, tokenizer.isSpecial(id) { return [] }
        var output: [UInt8] = []
        switch tokenizer.surface(of: id) {
        case .nothing: break
        case .byte(let byte):
            if joinsRuns { run.append(byte) } else { repair.append(byte, to: &output) }
        case .piece(let piece): append(piece, to: &output)
        case .text(let text):
            endRun(into: &output)
            output += text
        }
        return strip(output)
    }

    private mutating func append(_ piece: ArraySlice<UInt8>, to output: inout [UInt8]) {
        switch tokenizer.decoder {
        case .byteLevel:
            for byte in ByteAlphabet.decode(piece) { repair.append(byte, to: &output) }
        case .raw:
            for byte in piece { repair.append(byte, to: &output) }
        case .sentencePiece(let stripsOne, let stripsAll):
            endRun(into: &output)
            var piece = piece
            if hasOutput || !output.isEmpty { isAtStart = false }
            let space = SentencePieceNormalizer.space
            if isAtStart, stripsOne || stripsAll, piece.starts(with: space) {
                piece = piece.dropFirst(space.count)
                if !stripsAll { isAtStart = false }
            }
            output += Normalizer.replace(Array(piece), space, with: [0x20])
        case .pieces(let rules):
            endRun(into: &output)
            output += rules.replacements.reduce(Array(piece)) {
                Normalizer.replace($0, $1.pattern, with: $1.content)
            }
        case .spaced:
            if hasOutput { output.append(0x20) }
            output += piece
        }
    }

    private mutating func endRun(into output: inout [UInt8]) {
        repair.end(into: &output)
        guard !run.isEmpty else { return }
        if UTF8Repair.isValid(run) {
            output += run
        } else {
            for _ in run { output += UTF8Repair.replacement }
        }
        run = []
    }

    private mutating func strip(_ output: [UInt8]) -> [UInt8] {
        guard !output.isEmpty else { return output }
        hasOutput = true
        guard leadingToStrip > 0, case .pieces(let rules) = tokenizer.decoder else { return output }
        var start = 0
        while leadingToStrip > 0, start < output.count {
            guard output[start] == rules.stripped else {
                leadingToStrip = 0
                break
            }
            start += 1
            leadingToStrip -= 1
        }
        return Array(output[start...])
    }
}

/// Passes valid UTF-8 on and replaces the rest by U+FFFD, as the bytes arrive.
struct UTF8Repair: Sendable {
    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Whether each byte of a broken sequence is replaced, or the longest broken part at once.
    let replacesEveryByte: Bool
    private var held: [UInt8] = []

    init(replacesEveryByte: Bool) {
        self.replacesEveryByte = replacesEveryByte
    }

    var isHolding: Bool { !held.isEmpty }

    mutating func append(_ byte: UInt8, to output: inout [UInt8]) {
        if !held.isEmpty {
            if Self.continues(held, byte) {
                held.append(byte)
                if held.count == Scalars.length(held[0]) {
                    output += held
                    held = []
                }
                return
            }
            end(into: &output)
        }
        switch byte {
        case 0..<0x80: output.append(byte)
        case 0xC2...0xF4: held = [byte]
        default: output += Self.replacement
        }
    }

    /// What is held can no longer be completed.
    mutating func end(into output: inout [UInt8]) {
        guard !held.isEmpty else { return }
        for _ in 0..<(replacesEveryByte ? held.count : 1) { output += Self.replacement }
        held = []
    }

    static func isValid(_ bytes: [UInt8]) -> Bool {
        var repair = UTF8Repair(replacesEveryByte: true)
        var output: [UInt8] = []
        for byte in bytes { repair.append(byte, to: &output) }
        return !repair.isHolding && output == bytes
    }

    private static func continues(_ held: [UInt8], _ byte: UInt8) -> Bool {
        guard held.count == 1 else { return byte & 0xC0 == 0x80 }
        switch held[0] {
        case 0xE0: return (0xA0...0xBF).contains(byte)
        case 0xED: return (0x80...0x9F).contains(byte)
        case 0xF0: return (0x90...0xBF).contains(byte)
        case 0xF4: return (0x80...0x8F).contains(byte)
        default: return byte & 0xC0 == 0x80
        }
    }
}
