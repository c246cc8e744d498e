/// A parsed `tokenizer.json`.
struct TokenizerFile {
    var added: [AddedTokens.Token] = []
    var normalizer: Normalizer?
    var preTokenizer: PreTokenizer?
    var model = BytePairSection()
    var decoder: PieceDecoder = .spaced
    /// What the post-processor puts before and after a text; nil where it puts nothing.
    var template: (before: [TokenID], after: [TokenID])?

    init(_ bytes: [UInt8]) throws(TokenizationError) {
        var reader = JSONReader(bytes)
        var hasModel = false
        try reader.begin("{")
        while let key = try reader.nextKey() {
            switch String(decoding: key, as: UTF8.self) {
            case "added_tokens": added = Self.tokens(try reader.tree())
            case "normalizer": normalizer = try Normalizer(try reader.tree())
            case "pre_tokenizer": preTokenizer = try PreTokenizer(try reader.tree())
            case "post_processor": template = Self.template(try reader.tree())
            case "decoder": decoder = try PieceDecoder(try reader.tree())
            case "model":
                model = try Self.model(&reader)
                hasModel = true
            default: _ = try reader.tree()
            }
        }
        guard hasModel else { throw reader.failure("it has no model") }
    }

    private static func tokens(_ tree: JSONTree) -> [AddedTokens.Token] {
        tree.elements.compactMap { element in
            guard let id = element["id"]?.tokenID, let content = element["content"]?.text else {
                return nil
            }
            return AddedTokens.Token(
                id: id, content: content, isSpecial: element["special"]?.flag ?? false,
                isNormalized: element["normalized"]?.flag ?? false,
                isSingleWord: element["single_word"]?.flag ?? false,
                stripsLeft: element["lstrip"]?.flag ?? false,
                stripsRight: element["rstrip"]?.flag ?? false)
        }
    }

    private static func template(_ tree: JSONTree) -> (before: [TokenID], after: [TokenID])? {
        switch tree["type"]?.text {
        case "Sequence":
            return (tree["processors"]?.elements ?? []).lazy.compactMap { template($0) }.first
        case "TemplateProcessing":
            var before: [TokenID] = []
            var after: [TokenID] = []
            var isAfter = false
            for element in tree["single"]?.elements ?? [] {
                if element["Sequence"] != nil { isAfter = true }
                guard let name = element["SpecialToken"]?["id"]?.text else { continue }
                let ids = (tree["special_tokens"]?[name]?["ids"]?.elements ?? [])
                    .compactMap(\.tokenID)
                if isAfter { after += ids } else { before += ids }
            }
            return (before, after)
        default: return nil
        }
    }

    private static func model(_ reader: inout JSONReader) throws(TokenizationError)
        -> BytePairSection
    {
        var section = BytePairSection()
        try reader.begin("{")
        while let key = try reader.nextKey() {
            switch String(decoding: key, as: UTF8.self) {
            case "type":
                let type = try reader.tree().text ?? ""
                guard type == "BPE" else { throw .unsupported(feature: "model", value: type) }
            case "vocab": section.vocabulary = try vocabulary(&reader)
            case "merges": section.merges = try merges(&reader)
            case "unk_token": section.unknown = try reader.tree().text
            case "fuse_unk": section.fusesUnknown = try reader.tree().flag ?? false
            case "byte_fallback": section.hasByteFallback = try reader.tree().flag ?? false
            case "ignore_merges": section.ignoresMerges = try reader.tree().flag ?? false
            case "continuing_subword_prefix", "end_of_word_suffix":
                let affix = try reader.tree().text ?? ""
                guard affix.isEmpty else {
                    throw .unsupported(feature: "subword affix", value: affix)
                }
            default: _ = try reader.tree()
            }
        }
        return section
    }

    private static func vocabulary(_ reader: inout JSONReader) throws(TokenizationError)
        -> PieceTable
    {
        // An id can be no larger than the file is long, so a table never outgrows its file.
        let limit = reader.bytes.count
        var table = PieceTable(expecting: limit / 40)
        guard reader.peek() == 0x7B else {
            throw .unsupported(feature: "vocabulary", value: "not an object of piece: id")
        }
        try reader.begin("{")
        while let piece = try reader.nextKey() {
            let id = try reader.integer()
            guard id <= limit else { throw reader.failure("id \(id) in a file of \(limit) bytes") }
            table.insert(piece, id: TokenID(id))
        }
        return table
    }

    private static func merges(_ reader: inout JSONReader) throws(TokenizationError)
        -> [(left: [UInt8], right: [UInt8])]
    {
        var merges: [(left: [UInt8], right: [UInt8])] = []
        try reader.begin("[")
        while try reader.nextElement() {
            if reader.peek() == 0x5B {
                try reader.begin("[")
                let left = try reader.string()
                guard try reader.nextElement() else { throw reader.failure("half a merge") }
                let right = try reader.string()
                guard try !reader.nextElement() else { throw reader.failure("a merge of three") }
                merges.append((left, right))
            } else {
                let pair = try reader.string()
                guard let space = pair.firstIndex(of: 0x20) else {
                    throw reader.failure("a merge without a space")
                }
                merges.append((Array(pair[..<space]), Array(pair[(space + 1)...])))
            }
        }
        return merges
    }
}
