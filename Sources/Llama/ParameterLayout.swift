internal import Tensors

/// The names, shapes and order of a model's parameters, as Hugging Face has them.
public struct ParameterLayout: Sendable {
    public struct Entry: Sendable, Equatable {
        public let name: String
        /// One side for a gain, two for a matrix, `[out, in]`.
        public let shape: [Int]
        public var count: Int { shape.reduce(1, *) }
        /// Weight decay touches matrices and embeddings, not gains.
        public var isMatrix: Bool { shape.count == 2 }
    }

    public let entries: [Entry]

    public static let embedding = "model.embed_tokens.weight"
    public static let finalNorm = "model.norm.weight"
    public static let head = "lm_head.weight"

    /// Where a layer's parameter lies among its parameters.
    enum Part: Int, CaseIterable {
        case query, key, value, output, gate, up, down, inputNorm, outputNorm

        var name: String {
            switch self {
            case .query: "self_attn.q_proj.weight"
            case .key: "self_attn.k_proj.weight"
            case .value: "self_attn.v_proj.weight"
            case .output: "self_attn.o_proj.weight"
            case .gate: "mlp.gate_proj.weight"
            case .up: "mlp.up_proj.weight"
            case .down: "mlp.down_proj.weight"
            case .inputNorm: "input_layernorm.weight"
            case .outputNorm: "post_attention_layernorm.weight"
            }
        }

        func shape(_ c: LlamaConfiguration) -> [Int] {
            switch self {
            case .query: [c.attention.queryColumns, c.dimension]
            case .key, .value: [c.attention.keyValueColumns, c.dimension]
            case .output: [c.dimension, c.attention.queryColumns]
            case .gate, .up: [c.intermediateDimension, c.dimension]
            case .down: [c.dimension, c.intermediateDimension]
            case .inputNorm, .outputNorm: [c.dimension]
            }
        }
    }

    public init(_ configuration: LlamaConfiguration) {
        let table = [configuration.vocabularySize, configuration.dimension]
        var entries = [Entry(name: ParameterLayout.embedding, shape: table)]
        for layer in 0..<configuration.layers {
            entries += Part.allCases.map {
                Entry(
                    name: ParameterLayout.name(layer, $0), shape: $0.shape(configuration))
            }
        }
        entries.append(
            Entry(name: ParameterLayout.finalNorm, shape: [configuration.dimension]))
        if !configuration.tiesEmbeddings {
            entries.append(Entry(name: ParameterLayout.head, shape: table))
        }
        self.entries = entries
    }

    static func name(_ layer: Int, _ part: Part) -> String {
        "model.layers.\(layer).\(part.name)"
    }
}
