/// How a run learns. Names and defaults are those of Hugging Face's Trainer, in our words.
public struct TrainingSettings: Sendable, Equatable, Codable {
    /// Examples of one micro-batch.
    public var batchSize = 8
    /// Micro-batches of one step; the loss is the mean over the scored tokens of all of them.
    public var accumulation = 1
    /// Rounds through the data; `maximumSteps` goes before it.
    public var epochs = 3.0
    public var maximumSteps: Int?
    public var learningRate = 5e-5
    public var schedule = Schedule.linear
    /// Steps the rate rises; `warmupRatio` of all steps where nil.
    public var warmupSteps: Int?
    public var warmupRatio = 0.0
    /// Of matrices and embeddings; gains do not decay.
    public var weightDecay = 0.0
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    /// Gradients with a longer norm are shortened to it; 0 shortens none.
    public var maximumGradientNorm = 1.0
    public var seed: UInt64 = 42
    public var shuffles = true
    /// Whether activations are computed again instead of kept.
    public var recomputesActivations = false
    /// Tokens in memory at once; a step's examples are cut into as many passes as needed, which
    /// does not change its loss.
    public var tokensPerPass = 2_048

    public init() {}

    /// How the rate goes after the warm-up.
    public enum Schedule: String, Sendable, Codable, CaseIterable {
        case constant, linear, cosine
    }

    public var examplesPerStep: Int { batchSize * accumulation }

    public func check() throws(TrainingError) {
        try require(batchSize >= 1, "batch size", "is \(batchSize)")
        try require(accumulation >= 1, "accumulation", "is \(accumulation)")
        try require(epochs > 0 && epochs.isFinite, "epochs", "is \(epochs)")
        try require((maximumSteps ?? 1) >= 1, "maximum steps", "is \(maximumSteps ?? 0)")
        try require(
            learningRate >= 0 && learningRate.isFinite, "learning rate", "is \(learningRate)")
        try require((warmupSteps ?? 0) >= 0, "warm-up steps", "is \(warmupSteps ?? 0)")
        try require(
            warmupRatio >= 0 && warmupRatio <= 1, "warm-up ratio",
            "is \(warmupRatio), outside 0…1")
        try require(weightDecay >= 0 && weightDecay.isFinite, "weight decay", "is \(weightDecay)")
        try require(beta1 >= 0 && beta1 < 1, "beta1", "is \(beta1), outside 0..<1")
        try require(beta2 >= 0 && beta2 < 1, "beta2", "is \(beta2), outside 0..<1")
        try require(epsilon > 0, "epsilon", "is \(epsilon)")
        try require(
            maximumGradientNorm >= 0, "maximum gradient norm", "is \(maximumGradientNorm)")
        try require(tokensPerPass >= 1, "tokens per pass", "is \(tokensPerPass)")
    }

    private func require(
        _ holds: Bool, _ name: String, _ problem: String
    ) throws(TrainingError) {
        if !holds { throw .setting(name: name, problem: problem) }
    }
}
