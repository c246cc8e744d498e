/// What a step did.
public struct StepMetrics: Sendable, Equatable, Codable {
    /// Counted from 1.
    public var step: Int
    /// Rounds through the data, this step included.
    public var epoch: Double
    /// Mean over the step's scored tokens, before the step.
    public var loss: Double
    public var learningRate: Double
    /// Before shortening.
    public var gradientNorm: Double
    public var tokens: Int
    public var scoredTokens: Int
    public var seconds: Double

    public var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}
