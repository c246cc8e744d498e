import Tokenization

/// The generated part of a sequence as tokens and as text, which always agree: the tokens decode
/// to exactly the text.
struct ChainTokens: Sendable {
    private let tokenizer: Tokenizer
    /// A decoder that has read the prompt, so that what follows is no beginning.
    private let primed: StreamingDecoder
    private var stream: StreamingDecoder

    private(set) var ids: [TokenID] = []
    /// Whole characters only: an unfinished one waits in the decoder.
    private(set) var bytes: [UInt8] = []

    init(_ tokenizer: Tokenizer, prompt: [TokenID]) {
        self.tokenizer = tokenizer
        var decoder = tokenizer.streamingDecoder()
        for id in prompt { _ = decoder.append(id) }
        primed = decoder
        stream = decoder
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether a character is unfinished.
    var isHolding: Bool { stream.isHolding }

    /// Adds a token and says how much text it completed.
    mutating func append(_ id: TokenID) -> Int {
        ids.append(id)
        let new = stream.append(id).utf8
        bytes += Array(new)
        return new.count
    }

    /// Adds what an unfinished character leaves, once no more comes.
    mutating func finish() {
        bytes += Array(stream.finish().utf8)
    }

    /// Makes the text another one; the tokens become those of that text.
    mutating func replace(_ text: [UInt8]) {
        if text == bytes, !isHolding { return }
        ids = continuation(text)
        bytes = Array(decoded(ids).utf8)
        stream = primed
    }

    /// The tokens of a text that follows the prompt.
    ///
    /// A text alone may begin with other tokens than the same text in the middle of another
    /// (SentencePiece puts a space before it). So it is tokenized behind an anchor, whose tokens
    /// are then taken off; the prompt's own tokens are never touched.
    func continuation(_ text: [UInt8]) -> [TokenID] {
        guard !text.isEmpty else { return [] }
        let text = String(decoding: text, as: UTF8.self)
        for anchor in ["\n", "x", ".", ":", "\u{4E00}"] {
            let before = tokenizer.encode(anchor, parsing: false)
            let all = tokenizer.encode(anchor + text, parsing: false)
            guard all.starts(with: before) else { continue }
            let ids = Array(all.dropFirst(before.count))
            if decoded(ids).utf8.elementsEqual(text.utf8) { return ids }
        }
        return tokenizer.encode(text, parsing: false)
    }

    private func decoded(_ ids: [TokenID]) -> String {
        var stream = primed
        return ids.map { stream.append($0) }.joined() + stream.finish()
    }
}
