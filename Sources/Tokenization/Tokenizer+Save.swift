internal import FoundationEssentials

extension Tokenizer {
    /// This tokenizer with one more token, such as `[PAD]`; the vocabulary grows by one row.
    ///
    /// - Returns: the tokenizer and the token's id; the same tokenizer if it has the token.
    public func adding(
        _ content: String, asPadding: Bool = false
    ) throws(TokenizationError) -> (tokenizer: Tokenizer, id: TokenID) {
        var source = source
        let id: TokenID
        if let known = self.id(of: content) {
            if !asPadding || padID == known { return (self, known) }
            id = known
        } else {
            id = TokenID(vocabularySize)
            source.later.append(AddedTokens.Token(id: id, content: content, isSpecial: true))
        }
        if asPadding {
            let name = "tokenizer_config.json"
            let configuration = source.configurations[name] ?? defaultConfiguration()
            source.configurations[name] = configuration.setting("pad_token", to: .string(content))
        }
        let tokenizer = try Tokenizer.load(source)
        guard asPadding, tokenizer.padID != id else { return (tokenizer, id) }
        return (Tokenizer(tokenizer.parts(padID: id)), id)
    }

    /// This tokenizer with another of its tokens at the beginning of sequences.
    ///
    /// - Parameter unknown: its token for what it does not know, where that becomes another, too.
    public func beginning(
        with content: String, unknown: String? = nil
    ) throws(TokenizationError) -> Tokenizer {
        var source = source
        let name = "tokenizer_config.json"
        var configuration = (source.configurations[name] ?? defaultConfiguration())
            .setting("bos_token", to: .string(content))
        if let unknown {
            configuration = configuration.setting("unk_token", to: .string(unknown))
        }
        if source.format == .json {
            configuration = configuration.setting(
                "tokenizer_class", to: .string("LlamaTokenizerFast"))
        }
        source.configurations[name] = configuration
        return try Tokenizer.load(source)
    }

    private func parts(padID: TokenID) -> TokenizerParts {
        TokenizerParts(
            encoder: encoder, decoder: decoder, added: added, source: source,
            unknownSurface: unknownText, bosID: bosID, eosID: eosID, padID: padID,
            unknownID: unknownID, prefix: prefix, suffix: suffix)
    }

    /// Writes the tokenizer's files into a model folder, tokens added since included.
    public func save(to folder: String) throws(TokenizationError) {
        do {
            try FileManager.default.createDirectory(
                at: URL(filePath: folder), withIntermediateDirectories: true)
        } catch {
            throw .unreadable(path: folder, cause: "\(error)")
        }
        var bytes = source.bytes
        var configurations = source.configurations
        if source.format == .json {
            if !source.later.isEmpty { bytes = try Self.inserting(source.later, into: bytes) }
        } else if !source.later.isEmpty {
            let name = "added_tokens.json"
            configurations[name] = source.later.reduce(configurations[name] ?? .object([])) {
                $0.setting($1.content, to: .number(Double($1.id)))
            }
        }
        let main = "tokenizer_config.json"
        if configurations[main] == nil { configurations[main] = defaultConfiguration() }
        try Self.write(bytes, to: folder + "/" + source.name)
        for (name, tree) in configurations {
            try Self.write(Array((tree.written() + "\n").utf8), to: folder + "/" + name)
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(TokenizationError) {
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw .unreadable(path: path, cause: "\(error)")
        }
    }

    /// What `transformers` needs to load the folder, when the source had no configuration.
    private func defaultConfiguration() -> JSONTree {
        var members: [(key: String, value: JSONTree)] = []
        switch source.format {
        case .json: members.append(("tokenizer_class", .string("PreTrainedTokenizerFast")))
        case .sentencePiece: members.append(("tokenizer_class", .string("LlamaTokenizer")))
        case .ranks: break
        }
        for (key, id) in [
            ("bos_token", bosID), ("eos_token", eosID), ("pad_token", padID),
            ("unk_token", unknownID),
        ] {
            guard let id, let piece = piece(id) else { continue }
            members.append((key, .string(piece)))
        }
        members.append(("add_bos_token", .boolean(!prefix.isEmpty)))
        members.append(("add_eos_token", .boolean(!suffix.isEmpty)))
        members.append(("clean_up_tokenization_spaces", .boolean(false)))
        return .object(members)
    }

    /// Puts tokens at the end of the file's `added_tokens`, every other byte as it was.
    private static func inserting(
        _ tokens: [AddedTokens.Token], into bytes: [UInt8]
    ) throws(TokenizationError) -> [UInt8] {
        let text = tokens.map {
            """
            {"id": \($0.id), "content": \(JSONTree.quoted($0.content)), "single_word": false, \
            "lstrip": false, "rstrip": false, "normalized": false, "special": \($0.isSpecial)}
            """
        }.joined(separator: ", ")
        var reader = JSONReader(bytes)
        try reader.begin("{")
        while let key = try reader.nextKey() {
            guard key.elementsEqual("added_tokens".utf8) else {
                _ = try reader.tree()
                continue
            }
            try reader.begin("[")
            var isEmpty = true
            while try reader.nextElement() {
                _ = try reader.tree()
                isEmpty = false
            }
            let end = reader.offset - 1
            return Array(bytes[..<end]) + Array(((isEmpty ? "" : ", ") + text).utf8)
                + Array(bytes[end...])
        }
        throw reader.failure("it has no added_tokens")
    }
}
