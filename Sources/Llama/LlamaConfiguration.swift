public import Tensors

/// The shape of a model of the LLaMA family: what config.json says.
public struct LlamaConfiguration: Sendable, Equatable {
    public var vocabularySize: Int
    /// Columns of the residual stream.
    public var dimension: Int
    /// Columns inside the feed-forward part.
    public var intermediateDimension: Int
    public var layers: Int
    public var queryHeads: Int
    public var keyValueHeads: Int
    public var headDimension: Int
    public var maximumPositions: Int
    public var normEpsilon: Float
    /// Whether the output head is the embedding.
    public var tiesEmbeddings: Bool
    public var rotary: RotarySettings
    public var beginToken: Int?
    /// LLaMA 3 has several.
    public var endTokens: [Int]
    public var padToken: Int?

    public init(
        vocabularySize: Int, dimension: Int, intermediateDimension: Int, layers: Int,
        queryHeads: Int, keyValueHeads: Int? = nil, headDimension: Int? = nil,
        maximumPositions: Int = 2_048, normEpsilon: Float = 1e-5, tiesEmbeddings: Bool = false,
        rotary: RotarySettings = RotarySettings(), beginToken: Int? = 1, endTokens: [Int] = [2],
        padToken: Int? = nil
    ) {
        self.vocabularySize = vocabularySize
        self.dimension = dimension
        self.intermediateDimension = intermediateDimension
        self.layers = layers
        self.queryHeads = queryHeads
        self.keyValueHeads = keyValueHeads ?? queryHeads
        self.headDimension = headDimension ?? dimension / max(queryHeads, 1)
        self.maximumPositions = maximumPositions
        self.normEpsilon = normEpsilon
        self.tiesEmbeddings = tiesEmbeddings
        self.rotary = rotary
        self.beginToken = beginToken
        self.endTokens = endTokens
        self.padToken = padToken
    }

    public var attention: AttentionShape {
        AttentionShape(
            queryHeads: queryHeads, keyValueHeads: keyValueHeads, headDimension: headDimension)
    }

    /// How many learned numbers the model has; a tied head counts once.
    public var parameterCount: Int {
        ParameterLayout(self).entries.reduce(0) { $0 + $1.count }
    }
}

/// Rotary embedding: its base and what stretches it beyond the trained length.
public struct RotarySettings: Sendable, Equatable {
    public var theta: Double
    public var scaling: Scaling

    public init(theta: Double = 10_000, scaling: Scaling = .none) {
        self.theta = theta
        self.scaling = scaling
    }

    public enum Scaling: Sendable, Equatable {
        case none
        /// Every position divided by the factor.
        case linear(factor: Double)
        /// Long waves divided by the factor, short ones kept, those between blended.
        case llama3(factor: Double, low: Double, high: Double, originalPositions: Int)
    }

    /// Angle of one position for each pair of columns, computed in float32 as Hugging Face does.
    public func frequencies(headDimension: Int) -> [Float] {
        stride(from: 0, to: headDimension, by: 2).map { column in
            scaled(1 / power(Float(theta), Float(column) / Float(headDimension)))
        }
    }

    private func scaled(_ frequency: Float) -> Float {
        switch scaling {
        case .none:
            return frequency
        case .linear(let factor):
            return frequency / Float(factor)
        case .llama3(let factor, let low, let high, let originalPositions):
            let original = Float(originalPositions)
            let wave = 2 * Float.pi / frequency
            if wave > original / Float(low) { return frequency / Float(factor) }
            if wave < original / Float(high) { return frequency }
            let smooth = (original / wave - Float(low)) / (Float(high) - Float(low))
            return (1 - smooth) * frequency / Float(factor) + smooth * frequency
        }
    }
}
