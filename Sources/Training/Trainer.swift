public import Llama
public import Tensors

/// A run: weights, moments, data and the step reached.
///
/// It computes on the calling thread and those of its `Compute`; call it from a compute thread.
/// Two runs with equal inputs have equal weights after every step, bit for bit, whatever the
/// threads, and so does a run that was interrupted and resumed.
public final class Trainer {
    public let settings: TrainingSettings
    public let weights: LlamaWeights
    public let totalSteps: Int
    /// Steps done.
    public internal(set) var step = 0
    public let order: DataOrder
    let examples: [TrainingSequence]
    let rate: LearningRate
    let compute: Compute
    let gradients: LlamaGradients
    let first: LlamaWeights
    let second: LlamaWeights
    private var epochOrder: (epoch: Int, order: [Int])?

    /// - Parameters:
    ///   - weights: learns in place.
    ///   - examples: kept in memory; truncated already.
    public init(
        _ weights: LlamaWeights, examples: [TrainingSequence], settings: TrainingSettings,
        compute: Compute
    ) throws(TrainingError) {
        try settings.check()
        try Trainer.check(examples, weights.configuration)
        self.settings = settings
        self.weights = weights
        self.examples = examples
        self.compute = compute
        order = DataOrder(
            exampleCount: examples.count, examplesPerStep: settings.examplesPerStep,
            seed: settings.seed, shuffles: settings.shuffles)
        let byEpochs = (settings.epochs * Double(order.stepsPerEpoch)).rounded(.up)
        totalSteps = settings.maximumSteps ?? Int(byEpochs)
        rate = LearningRate(settings, totalSteps: totalSteps)
        gradients = LlamaGradients(
            weights, compute: compute, recomputes: settings.recomputesActivations)
        first = LlamaWeights(zeros: weights.configuration)
        second = LlamaWeights(zeros: weights.configuration)
    }

    public var isFinished: Bool { step >= totalSteps }

    /// Does one step.
    ///
    /// - Parameter isCancelled: asked between passes; then `CancellationError` is thrown and the
    ///   weights are as before the step.
    public func advance(isCancelled: () -> Bool = { false }) throws -> StepMetrics {
        let clock = ContinuousClock()
        let start = clock.now
        let sequences = nextExamples()
        let scored = sequences.reduce(0) { $0 + $1.scoredCount }
        let loss = try accumulate(sequences, scored: scored, isCancelled: isCancelled)
        let norm = compute.sumOfSquares(gradients.gradients.all).squareRoot()
        guard loss.isFinite && norm.isFinite else {
            throw TrainingError.diverged(step: step + 1, loss: loss, gradientNorm: norm)
        }
        let learningRate = rate[step]
        // A step without a scored token has nothing to say, and its moments stay.
        if scored > 0 { update(learningRate: learningRate, norm: norm) }
        step += 1
        return StepMetrics(
            step: step, epoch: Double(step) / Double(order.stepsPerEpoch), loss: loss,
            learningRate: learningRate, gradientNorm: norm,
            tokens: sequences.reduce(0) { $0 + $1.ids.count }, scoredTokens: scored,
            seconds: (clock.now - start) / .seconds(1))
    }

    /// The mean loss over all scored tokens of these sequences, without learning.
    public func loss(of sequences: [TrainingSequence]) throws -> Double {
        let scored = sequences.reduce(0) { $0 + $1.scoredCount }
        let sum = try passes(sequences).reduce(0.0) { try $0 + gradients.loss(of: Array($1)) }
        return sum / Double(max(1, scored))
    }

    private func nextExamples() -> [TrainingSequence] {
        let (epoch, positions) = order.range(step: step)
        if epochOrder?.epoch != epoch {
            epochOrder = (epoch, order.order(epoch: epoch))
        }
        return positions.map { examples[epochOrder?.order[$0] ?? $0] }
    }

    private func accumulate(
        _ sequences: [TrainingSequence], scored: Int, isCancelled: () -> Bool
    ) throws -> Double {
        gradients.gradients.all.fill(0)
        guard scored > 0 else { return 0 }
        var sum = 0.0
        for pass in passes(sequences) {
            if isCancelled() { throw CancellationError() }
            sum += try gradients.addGradients(of: Array(pass), scale: 1 / Float(scored))
        }
        return sum / Double(scored)
    }

    /// Cuts sequences where the next would exceed the tokens of a pass.
    private func passes(_ sequences: [TrainingSequence]) -> [ArraySlice<TrainingSequence>] {
        var passes: [ArraySlice<TrainingSequence>] = []
        var start = 0
        var tokens = 0
        for (index, sequence) in sequences.enumerated() {
            if tokens + sequence.ids.count > settings.tokensPerPass && index > start {
                passes.append(sequences[start..<index])
                start = index
                tokens = 0
            }
            tokens += sequence.ids.count
        }
        return start < sequences.count ? passes + [sequences[start...]] : passes
    }

    private func update(learningRate: Double, norm: Double) {
        let limit = settings.maximumGradientNorm
        // torch.nn.utils.clip_grad_norm_ adds the same 1e-6.
        let scale = limit > 0 ? min(1, limit / (norm + 1e-6)) : 1
        for (index, entry) in weights.layout.entries.enumerated() {
            compute.adamW(
                weights.tensors[index], gradient: gradients.gradients.tensors[index],
                first: first.tensors[index], second: second.tensors[index],
                AdamWStep(
                    learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2,
                    epsilon: settings.epsilon,
                    weightDecay: entry.isMatrix ? settings.weightDecay : 0, step: step + 1,
                    gradientScale: Float(scale)))
        }
    }

    private static func check(
        _ examples: [TrainingSequence], _ configuration: LlamaConfiguration
    ) throws(TrainingError) {
        guard !examples.isEmpty else { throw .noExamples }
        for (index, example) in examples.enumerated() {
            let vocabulary = configuration.vocabularySize
            if example.ids.count > configuration.maximumPositions {
                throw .example(
                    index: index,
                    problem: "\(example.ids.count) tokens, but the model has"
                        + " \(configuration.maximumPositions) positions")
            }
            for token in example.ids where token < 0 || Int(token) >= vocabulary {
                throw .example(
                    index: index, problem: "token \(token) in a vocabulary of \(vocabulary)")
            }
            for label in example.labels where Int(label) >= vocabulary {
                throw .example(
                    index: index, problem: "label \(label) in a vocabulary of \(vocabulary)")
            }
        }
    }
}
