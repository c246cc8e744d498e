/// The number of a piece in a vocabulary.
public typealias TokenID = Int32

/// Text to ids and back, with the ids of the tokenizer's own library.
///
/// It reads SentencePiece models, Hugging Face `tokenizer.json` files (BPE) and tiktoken rank
/// files. It never changes after loading, so it may be shared by threads.
public final class Tokenizer: Sendable {
    enum Encoder: Sendable {
        case sentencePiece(SentencePieceModel)
        case words(BytePairModel, PreTokenizer?)
        case ranks(RankModel)
    }

    enum Surface {
        case nothing
        case byte(UInt8)
        case piece(ArraySlice<UInt8>)
        /// Text that stands for itself, such as an added token.
        case text([UInt8])
    }

    let encoder: Encoder
    let decoder: PieceDecoder
    let added: AddedTokens
    let source: TokenizerSource
    private let names: PieceTable
    private let addedByID: [TokenID: AddedTokens.Token]
    private let specialIDs: Set<TokenID>
    /// What decoding writes for an unknown piece.
    let unknownText: [UInt8]

    /// The token that begins a sequence, where the vocabulary has one.
    public let bosID: TokenID?
    /// The token that ends a sequence.
    public let eosID: TokenID?
    /// The token that fills a row that is too short.
    public let padID: TokenID?
    public let unknownID: TokenID?
    /// What `encode(special: true)` puts before a text.
    public let prefix: [TokenID]
    /// What `encode(special: true)` puts after a text.
    public let suffix: [TokenID]
    /// One more than the largest id, added tokens included.
    public let vocabularySize: Int

    init(_ parts: TokenizerParts) {
        encoder = parts.encoder
        decoder = parts.decoder
        added = parts.added
        source = parts.source
        unknownText = parts.unknownSurface
        bosID = parts.bosID
        eosID = parts.eosID
        padID = parts.padID
        unknownID = parts.unknownID
        prefix = parts.prefix
        suffix = parts.suffix
        switch parts.encoder {
        case .sentencePiece(let model): names = model.pieces
        case .words(let model, _): names = model.vocabulary
        case .ranks(let model): names = model.ranks
        }
        addedByID = Dictionary(
            parts.added.tokens.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        specialIDs = Set(parts.added.tokens.filter(\.isSpecial).map(\.id))
        let largest = parts.added.tokens.map { Int($0.id) + 1 }.max() ?? 0
        vocabularySize = max(names.count, largest)
    }

    /// The ids of a text.
    ///
    /// - Parameters:
    ///   - special: whether the tokens that begin and end a sequence are put around it.
    ///   - parsing: whether text that reads like a special token becomes that token. The default
    ///     is what the file's own library does: yes for `tokenizer.json`, no for the others.
    ///     Give false for text that a stranger wrote.
    public func encode(_ text: String, special: Bool = false, parsing: Bool? = nil) -> [TokenID] {
        let bytes = Array(text.utf8)
        var ids = special ? prefix : []
        switch encoder {
        case .words(let model, let preTokenizer):
            var isFirst = true
            for part in added.split(bytes, special: parsing ?? true) {
                switch part {
                case .token(let id): ids.append(id)
                case .text(let words):
                    let words = preTokenizer?.apply([words], isFirst: isFirst) ?? [words]
                    for word in words { ids += model.encode(word) }
                }
                isFirst = false
            }
        case .sentencePiece(let model):
            ids += encode(bytes, parsing: parsing ?? false, model.encode)
        case .ranks(let model):
            ids += encode(bytes, parsing: parsing ?? false, model.encode)
        }
        return special ? ids + suffix : ids
    }

    private func encode(
        _ bytes: [UInt8], parsing: Bool, _ model: ([UInt8]) -> [TokenID]
    ) -> [TokenID] {
        guard parsing else { return model(bytes) }
        return added.split(bytes, special: true).flatMap { part in
            switch part {
            case .token(let id): [id]
            case .text(let text): model(text)
            }
        }
    }

    /// The text of ids; special tokens are left out unless asked for.
    public func decode(_ ids: some Sequence<TokenID>, skippingSpecial: Bool = true) -> String {
        var stream = StreamingDecoder(self, skipsSpecial: skippingSpecial, joinsRuns: true)
        var bytes: [UInt8] = []
        for id in ids { bytes += stream.bytes(appending: id) }
        return String(decoding: bytes, as: UTF8.self) + stream.finish()
    }

    /// A decoder that is fed one id after the other.
    public func streamingDecoder(skippingSpecial: Bool = true) -> StreamingDecoder {
        StreamingDecoder(self, skipsSpecial: skippingSpecial, joinsRuns: false)
    }

    /// The piece of an id as its file writes it; nil for a gap in the vocabulary.
    public func piece(_ id: TokenID) -> String? {
        if let token = addedByID[id] { return token.content }
        return names.bytes(of: id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a piece as its file writes it, special and added tokens included.
    public func id(of piece: String) -> TokenID? {
        let bytes = Array(piece.utf8)
        if let token = added.tokens.first(where: { $0.content.utf8.elementsEqual(bytes) }) {
            return token.id
        }
        return names.id(of: bytes)
    }

    public func isSpecial(_ id: TokenID) -> Bool { specialIDs.contains(id) }

    func surface(of id: TokenID) -> Surface {
        if case .sentencePiece(let model) = encoder, let type = model.type(of: id) {
            switch type {
            case .control: return specialIDs.contains(id) ? .text(content(id)) : .nothing
            case .unknown: return .text(unknownText)
            case .byte:
                guard let byte = SentencePieceModel.byte(content(id)) else { return .nothing }
                return .byte(byte)
            default: break
            }
        }
        if case .pieces(let rules) = decoder, rules.hasByteFallback,
            let byte = names.bytes(of: id).flatMap(SentencePieceModel.byte)
        {
            return .byte(byte)
        }
        if let token = addedByID[id] {
            switch decoder {
            case .byteLevel, .pieces, .spaced: return .piece(added.written(token)[...])
            case .raw, .sentencePiece: return .text(Array(token.content.utf8))
            }
        }
        return names.bytes(of: id).map(Surface.piece) ?? .nothing
    }

    private func content(_ id: TokenID) -> [UInt8] {
        if let token = addedByID[id] { return Array(token.content.utf8) }
        return Array(names.bytes(of: id) ?? [])
    }
}

/// Everything a tokenizer is made of; loaders fill it in.
struct TokenizerParts {
    var encoder: Tokenizer.Encoder
    var decoder: PieceDecoder
    var added: AddedTokens
    var source: TokenizerSource
    var unknownSurface: [UInt8] = []
    var bosID: TokenID?
    var eosID: TokenID?
    var padID: TokenID?
    var unknownID: TokenID?
    var prefix: [TokenID] = []
    var suffix: [TokenID] = []
}
