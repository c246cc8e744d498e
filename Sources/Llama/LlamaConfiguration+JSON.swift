public import FoundationEssentials

// config.json in both spellings: `rope_theta`, `rope_scaling` and `torch_dtype` of transformers 4,
// `rope_parameters` and `dtype` of transformers 5. Written in the first, which all readers know.

extension LlamaConfiguration {
    /// Reads config.json of a checkpoint folder.
    public init(folder: URL) throws(LlamaError) {
        let file = folder.appending(path: "config.json")
        let data: Data
        do {
            data = try Data(contentsOf: file)
        } catch {
            let isThere = FileManager.default.fileExists(atPath: file.path)
            throw .unreadable(
                file: file.path,
                reason: isThere
                    ? "check its permissions" : "there is no such file; give a model's folder")
        }
        try self.init(json: data, file: file.path)
    }

    /// - Parameter file: what errors call it.
    public init(json: Data, file: String = "config.json") throws(LlamaError) {
        let raw: RawConfiguration
        do {
            raw = try JSONDecoder().decode(RawConfiguration.self, from: json)
        } catch {
            throw .unreadable(file: file, reason: "\(error)")
        }
        self = try raw.checked(file)
    }

    /// config.json for weights of this type.
    package func json(type: String) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        var data = try encoder.encode(RawConfiguration(self, type: type))
        data.append(UInt8(ascii: "\n"))
        return data
    }

    /// generation_config.json: the ids that begin, end and fill.
    package func generationJSON() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        var data = try encoder.encode(
            RawGeneration(
                bos_token_id: beginToken, eos_token_id: OneOrMany(endTokens),
                pad_token_id: padToken))
        data.append(UInt8(ascii: "\n"))
        return data
    }
}

private struct RawGeneration: Encodable {
    var bos_token_id: Int?
    var eos_token_id: OneOrMany?
    var pad_token_id: Int?
}

/// An id, or a list of ids.
private struct OneOrMany: Codable {
    var values: [Int]

    init?(_ values: [Int]) {
        if values.isEmpty { return nil }
        self.values = values
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(Int.self) {
            values = [one]
        } else {
            values = try container.decode([Int].self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if values.count == 1 {
            try container.encode(values[0])
        } else {
            try container.encode(values)
        }
    }
}

private struct RawRotary: Codable {
    var rope_type: String?
    var type: String?
    var rope_theta: Double?
    var factor: Double?
    var low_freq_factor: Double?
    var high_freq_factor: Double?
    var original_max_position_embeddings: Int?

    func scaling(_ file: String, key: String) throws(LlamaError) -> RotarySettings.Scaling {
        switch rope_type ?? type ?? "default" {
        case "default":
            return .none
        case "linear":
            return .linear(factor: try positive(factor, "factor", file, key))
        case "llama3":
            let low = try positive(low_freq_factor, "low_freq_factor", file, key)
            let high = try positive(high_freq_factor, "high_freq_factor", file, key)
            guard high > low else {
                throw .configuration(
                    file: file, key: key, problem: "has high_freq_factor \(high), low \(low)")
            }
            let original = original_max_position_embeddings.map(Double.init)
            return .llama3(
                factor: try positive(factor, "factor", file, key), low: low, high: high,
                originalPositions: Int(
                    try positive(original, "original_max_position_embeddings", file, key)))
        case let other:
            throw .configuration(
                file: file, key: key,
                problem: "has type \"\(other)\"; default, linear and llama3 are known")
        }
    }

    private func positive(
        _ value: Double?, _ name: String, _ file: String, _ key: String
    ) throws(LlamaError) -> Double {
        guard let value, value > 0, value.isFinite else {
            throw .configuration(
                file: file, key: key,
                problem: "needs a positive \(name), has \(value.map { "\($0)" } ?? "none")")
        }
        return value
    }
}

private struct RawConfiguration: Codable {
    var architectures: [String]?
    var attention_bias: Bool?
    var mlp_bias: Bool?
    var bos_token_id: Int?
    var eos_token_id: OneOrMany?
    var pad_token_id: Int?
    var head_dim: Int?
    var hidden_act: String?
    var hidden_size: Int?
    var initializer_range: Double?
    var intermediate_size: Int?
    var max_position_embeddings: Int?
    var model_type: String?
    var num_attention_heads: Int?
    var num_hidden_layers: Int?
    var num_key_value_heads: Int?
    var rms_norm_eps: Double?
    var rope_parameters: RawRotary?
    var rope_scaling: RawRotary?
    var rope_theta: Double?
    var sliding_window: Int?
    var tie_word_embeddings: Bool?
    var torch_dtype: String?
    var use_cache: Bool?
    var vocab_size: Int?

    init(_ configuration: LlamaConfiguration, type: String) {
        architectures = ["LlamaForCausalLM"]
        attention_bias = false
        mlp_bias = false
        bos_token_id = configuration.beginToken
        eos_token_id = OneOrMany(configuration.endTokens)
        pad_token_id = configuration.padToken
        head_dim = configuration.headDimension
        hidden_act = "silu"
        hidden_size = configuration.dimension
        initializer_range = LlamaWeights.initialDeviation
        intermediate_size = configuration.intermediateDimension
        max_position_embeddings = configuration.maximumPositions
        model_type = "llama"
        num_attention_heads = configuration.queryHeads
        num_hidden_layers = configuration.layers
        num_key_value_heads = configuration.keyValueHeads
        // The shortest decimal that reads back as the same float: 1e-05, not 9.99999974e-06.
        rms_norm_eps = Double("\(configuration.normEpsilon)")
        rope_theta = configuration.rotary.theta
        tie_word_embeddings = configuration.tiesEmbeddings
        torch_dtype = type
        use_cache = true
        vocab_size = configuration.vocabularySize
        switch configuration.rotary.scaling {
        case .none:
            break
        case .linear(let factor):
            rope_scaling = RawRotary(rope_type: "linear", factor: factor)
        case .llama3(let factor, let low, let high, let originalPositions):
            rope_scaling = RawRotary(
                rope_type: "llama3", factor: factor, low_freq_factor: low,
                high_freq_factor: high, original_max_position_embeddings: originalPositions)
        }
    }

    func checked(_ file: String) throws(LlamaError) -> LlamaConfiguration {
        try refuse(
            !["llama", "mistral"].contains(model_type ?? "llama"), file, "model_type",
            "is \"\(model_type ?? "")\"; llama is known")
        try refuse(attention_bias == true, file, "attention_bias", "is true; only false is known")
        try refuse(mlp_bias == true, file, "mlp_bias", "is true; only false is known")
        try refuse(
            (hidden_act ?? "silu") != "silu", file, "hidden_act",
            "is \"\(hidden_act ?? "")\"; silu is known")
        if let sliding_window, sliding_window < max_position_embeddings ?? 2_048 {
            throw .configuration(
                file: file, key: "sliding_window",
                problem: "is \(sliding_window), less than max_position_embeddings: attention within"
                    + " a window is not known; lower max_position_embeddings to it, or set null")
        }
        let dimension = try size(hidden_size, file, "hidden_size")
        let heads = try size(num_attention_heads, file, "num_attention_heads")
        let groups = try size(num_key_value_heads ?? heads, file, "num_key_value_heads")
        try refuse(
            heads % groups != 0, file, "num_key_value_heads", "is \(groups) for \(heads) heads")
        let head = try size(head_dim ?? dimension / heads, file, "head_dim")
        try refuse(head % 2 != 0, file, "head_dim", "is \(head); rotary needs an even one")
        try refuse(
            head_dim == nil && dimension % heads != 0, file, "hidden_size",
            "is \(dimension) for \(heads) heads")
        return LlamaConfiguration(
            vocabularySize: try size(vocab_size, file, "vocab_size"), dimension: dimension,
            intermediateDimension: try size(intermediate_size, file, "intermediate_size"),
            layers: try size(num_hidden_layers, file, "num_hidden_layers"), queryHeads: heads,
            keyValueHeads: groups, headDimension: head,
            maximumPositions: try size(
                max_position_embeddings ?? 2_048, file, "max_position_embeddings"),
            normEpsilon: Float(rms_norm_eps ?? 1e-6),
            tiesEmbeddings: tie_word_embeddings ?? false, rotary: try rotary(file),
            beginToken: bos_token_id, endTokens: eos_token_id?.values ?? [],
            padToken: pad_token_id)
    }

    private func rotary(_ file: String) throws(LlamaError) -> RotarySettings {
        let theta = rope_parameters?.rope_theta ?? rope_theta ?? 10_000
        try refuse(!(theta > 0 && theta.isFinite), file, "rope_theta", "is \(theta)")
        if let rope_parameters {
            return RotarySettings(
                theta: theta,
                scaling: try rope_parameters.scaling(file, key: "rope_parameters"))
        }
        return RotarySettings(
            theta: theta,
            scaling: try rope_scaling?.scaling(file, key: "rope_scaling") ?? .none)
    }

    private func size(_ value: Int?, _ file: String, _ key: String) throws(LlamaError) -> Int {
        guard let value else { throw .configuration(file: file, key: key, problem: "is missing") }
        try refuse(value < 1 || value > 1 << 30, file, key, "is \(value)")
        return value
    }

    private func refuse(
        _ wrong: Bool, _ file: String, _ key: String, _ problem: String
    ) throws(LlamaError) {
        if wrong { throw .configuration(file: file, key: key, problem: problem) }
    }
}
