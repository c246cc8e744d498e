public import Llama
internal import Tensors

/// Measures how fast a model learns; `Tests/Benchmarks/train_pytorch.py` measures the same with
/// PyTorch.
public enum TrainingBenchmark {
    public struct Result: Sendable, Codable {
        public var model: String
        public var batch: Int
        public var length: Int
        public var threads: Int
        public var recomputes: Bool
        /// The median of the steps.
        public var tokensPerSecond: Double
        public var firstLoss: Double
        public var lastLoss: Double
    }

    /// - Parameters:
    ///   - length: tokens of each example, all scored.
    ///   - seconds: how long to measure; at least three steps.
    public static func run(
        _ model: BenchmarkModel, batch: Int, length: Int, threads: Int, recomputes: Bool = false,
        seconds: Double = 10
    ) throws -> Result {
        var source = RandomSource(seed: 1)
        let vocabulary = Int32(model.configuration.vocabularySize)
        let examples = (0..<batch).map { _ in
            let ids = (0..<length).map { _ in Int32.random(in: 0..<vocabulary, using: &source) }
            return TrainingSequence(ids: ids, labels: ids)
        }
        var settings = TrainingSettings()
        settings.batchSize = batch
        settings.maximumSteps = 1_000_000
        settings.learningRate = 1e-3
        settings.schedule = .constant
        settings.recomputesActivations = recomputes
        let trainer = try Trainer(
            LlamaWeights(random: model.configuration, seed: 1), examples: examples,
            settings: settings, compute: Compute(threads: threads))
        let first = try trainer.advance()
        var steps: [StepMetrics] = []
        let clock = ContinuousClock()
        let start = clock.now
        repeat {
            steps.append(try trainer.advance())
        } while steps.count < 3 || clock.now - start < .seconds(seconds)
        let rates = steps.map(\.tokensPerSecond).sorted()
        return Result(
            model: model.rawValue, batch: batch, length: length, threads: threads,
            recomputes: recomputes, tokensPerSecond: rates[rates.count / 2],
            firstLoss: first.loss, lastLoss: steps.last?.loss ?? first.loss)
    }
}
