internal import FoundationEssentials

/// Where a tokenizer came from, so that its files can be written again.
struct TokenizerSource: Sendable {
    enum Format: Sendable { case json, sentencePiece, ranks }

    var format: Format
    /// The vocabulary's file name and bytes.
    var name: String
    var bytes: [UInt8]
    /// The configuration files beside it, by name.
    var configurations: [String: JSONTree] = [:]
    /// Tokens that were added after loading.
    var later: [AddedTokens.Token] = []
}

extension Tokenizer {
    /// The configuration files of a Hugging Face folder that concern the tokenizer.
    static let configurationNames = [
        "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    ]

    /// Reads a tokenizer from a file, or from a model's folder in the Hugging Face layout.
    public static func load(_ path: String) throws(TokenizationError) -> Tokenizer {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .unreadable(path: path, cause: "it does not exist")
        }
        let folder =
            isFolder ? path : URL(filePath: path).deletingLastPathComponent().path
        var configurations: [String: JSONTree] = [:]
        for name in configurationNames where isFolder {
            let file = folder + "/" + name
            guard FileManager.default.fileExists(atPath: file) else { continue }
            var reader = JSONReader(try read(file))
            configurations[name] = try reader.tree()
        }
        let file = isFolder ? try vocabularyFile(in: path) : path
        let name = URL(filePath: file).lastPathComponent
        do {
            return try load(
                TokenizerSource(
                    format: .json, name: name, bytes: try read(file),
                    configurations: configurations))
        } catch {
            guard case .malformed(let format, let offset, let cause) = error else { throw error }
            throw .malformed(format: "\(format) (\(file))", offset: offset, cause: cause)
        }
    }

    private static func read(_ path: String) throws(TokenizationError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw .unreadable(path: path, cause: "it is no file that can be read")
        }
    }

    private static func vocabularyFile(in folder: String) throws(TokenizationError) -> String {
        let names = ["tokenizer.json", "tokenizer.model", "qwen.tiktoken", "tiktoken.model"]
        for name in names where FileManager.default.fileExists(atPath: folder + "/" + name) {
            return folder + "/" + name
        }
        throw .missing(folder: folder, expected: names)
    }

    /// Tells the format by the first bytes, then builds the tokenizer.
    static func load(_ source: TokenizerSource) throws(TokenizationError) -> Tokenizer {
        var source = source
        let first = source.bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        var parts: TokenizerParts
        if first == UInt8(ascii: "{") {
            source.format = .json
            parts = try fromJSON(source)
        } else if source.bytes.first == 0x0A {
            source.format = .sentencePiece
            parts = try fromSentencePiece(source)
        } else {
            source.format = .ranks
            parts = try fromRanks(source)
        }
        for token in source.later { parts.added = parts.added.adding(token) }
        return Tokenizer(parts)
    }

    private static func fromJSON(_ source: TokenizerSource) throws(TokenizationError)
        -> TokenizerParts
    {
        let file = try TokenizerFile(source.bytes)
        let model = try BytePairModel(file.model)
        var parts = TokenizerParts(
            encoder: .words(model, file.preTokenizer), decoder: file.decoder,
            added: AddedTokens(file.added, normalizer: file.normalizer), source: source)
        var roles = SpecialRoles(source.configurations)
        roles.find(in: file.added.map { ($0.id, $0.content) })
        func id(_ content: String?) -> TokenID? {
            guard let content else { return nil }
            return file.added.first { $0.content == content }?.id
                ?? model.vocabulary.id(of: Array(content.utf8))
        }
        parts.bosID = id(roles.bos) ?? file.template?.before.first
        parts.eosID = id(roles.eos)
        parts.padID = id(roles.pad)
        parts.unknownID = id(roles.unknown ?? file.model.unknown)
        if let template = file.template {
            parts.prefix = template.before
            parts.suffix = template.after
            // transformers makes the template of this class anew from its configuration.
            if roles.isLlama, parts.prefix.count == 1, let bos = parts.bosID {
                parts.prefix = [bos]
            }
        } else {
            if roles.addsBOS == true, let bos = parts.bosID { parts.prefix = [bos] }
            if roles.addsEOS == true, let eos = parts.eosID { parts.suffix = [eos] }
        }
        return parts
    }

    private static func fromSentencePiece(_ source: TokenizerSource) throws(TokenizationError)
        -> TokenizerParts
    {
        let file = try SentencePieceFile(source.bytes)
        let model = try SentencePieceModel(file)
        let count = file.pieces.count
        var tokens: [AddedTokens.Token] = []
        for (index, piece) in file.pieces.enumerated() where piece.type == .control {
            let content = String(decoding: piece.text, as: UTF8.self)
            tokens.append(
                AddedTokens.Token(id: TokenID(index), content: content, isSpecial: true))
        }
        let roles = SpecialRoles(source.configurations)
        for (id, content) in roles.added where Int(id) >= count {
            let isSpecial = roles.all.contains(content)
            tokens.append(AddedTokens.Token(id: id, content: content, isSpecial: isSpecial))
        }
        var parts = TokenizerParts(
            encoder: .sentencePiece(model),
            decoder: .sentencePiece(
                stripsOne: file.addsDummyPrefix, stripsAll: file.removesExtraSpaces),
            added: AddedTokens(tokens, normalizer: nil), source: source)
        func id(_ content: String?, _ other: TokenID) -> TokenID? {
            if let content {
                if let token = tokens.first(where: { $0.content == content }) { return token.id }
                if let index = file.pieces.firstIndex(where: { $0.text.elementsEqual(content.utf8) }
                ) {
                    return TokenID(index)
                }
            }
            return other >= 0 && Int(other) < count ? other : nil
        }
        parts.unknownSurface = file.unknownSurface
        parts.bosID = id(roles.bos, file.beginID)
        parts.eosID = id(roles.eos, file.endID)
        parts.padID = id(roles.pad, file.paddingID)
        parts.unknownID = id(roles.unknown, file.unknownID)
        if roles.addsBOS ?? true, let bos = parts.bosID { parts.prefix = [bos] }
        if roles.addsEOS ?? false, let eos = parts.eosID { parts.suffix = [eos] }
        return parts
    }

    private static func fromRanks(_ source: TokenizerSource) throws(TokenizationError)
        -> TokenizerParts
    {
        let model = try RankModel(source.bytes)
        let tokens = model.family.special.map {
            AddedTokens.Token(id: $0.0, content: $0.1, isSpecial: true)
        }
        var parts = TokenizerParts(
            encoder: .ranks(model), decoder: .raw,
            added: AddedTokens(tokens, normalizer: nil), source: source)
        switch model.family {
        case .llama3:
            parts.bosID = tokens[0].id
            parts.eosID = tokens[1].id
            parts.prefix = [tokens[0].id]
        case .gpt2, .cl100k, .qwen: parts.eosID = tokens[0].id
        }
        return parts
    }
}

/// Which special token plays which part, as the configuration files say.
struct SpecialRoles {
    var bos: String?
    var eos: String?
    var pad: String?
    var unknown: String?
    var addsBOS: Bool?
    var addsEOS: Bool?
    var isLlama = false
    /// Tokens beyond the vocabulary's file.
    var added: [(TokenID, String)] = []

    var all: [String] { [bos, eos, pad, unknown].compactMap { $0 } }

    init(_ configurations: [String: JSONTree]) {
        for name in ["special_tokens_map.json", "tokenizer_config.json"] {
            guard let tree = configurations[name] else { continue }
            func content(_ key: String) -> String? {
                tree[key]?.text ?? tree[key]?["content"]?.text
            }
            bos = content("bos_token") ?? bos
            eos = content("eos_token") ?? eos
            pad = content("pad_token") ?? pad
            unknown = content("unk_token") ?? unknown
            isLlama = tree["tokenizer_class"]?.text?.hasPrefix("LlamaTokenizer") ?? isLlama
            addsBOS = tree["add_bos_token"]?.flag ?? addsBOS
            addsEOS = tree["add_eos_token"]?.flag ?? addsEOS
            for (id, token) in tree["added_tokens_decoder"]?.members ?? [] {
                guard let id = TokenID(id), id >= 0, let content = token["content"]?.text else {
                    continue
                }
                added.append((id, content))
            }
        }
        for (content, id) in configurations["added_tokens.json"]?.members ?? [] {
            guard let id = id.tokenID, !added.contains(where: { $0.0 == id }) else { continue }
            added.append((id, content))
        }
    }

    /// Takes the parts that no configuration names from the usual names.
    mutating func find(in tokens: [(TokenID, String)]) {
        func first(_ names: [String]) -> String? {
            names.first { name in tokens.contains { $0.1 == name } }
        }
        bos = bos ?? first(["<s>", "<|begin_of_text|>", "<bos>", "<|startoftext|>"])
        eos = eos ?? first(["</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "<|im_end|>"])
        pad = pad ?? first(["<pad>", "[PAD]", "<|finetune_right_pad_id|>"])
    }
}
