import FoundationEssentials
import Llama
import Tensors
import Testing
import Training

struct TrainerTests {
    @Test func `the loss falls`() throws {
        var settings = tinySettings()
        settings.maximumSteps = 60
        settings.learningRate = 1e-2
        let trainer = try tinyTrainer(settings)
        let first = try trainer.advance().loss
        var last = first
        try trainer.run { last = $0.loss }
        #expect(last < 0.2 * first, "from \(first) to \(last)")
    }

    @Test func `micro-batches and passes do not change the losses`() throws {
        var runs: [[Double]] = []
        for (batch, accumulation, tokens) in [(8, 1, 10_000), (4, 2, 100), (1, 8, 1)] {
            var settings = tinySettings()
            settings.batchSize = batch
            settings.accumulation = accumulation
            settings.tokensPerPass = tokens
            let trainer = try tinyTrainer(settings)
            var losses: [Double] = []
            try trainer.run { losses.append($0.loss) }
            runs.append(losses)
        }
        for run in runs.dropFirst() {
            let close = zip(run, runs[0]).allSatisfy { abs($0 - $1) < 1e-3 }
            #expect(close && run.count == 12)
        }
        #expect(abs(runs[1][0] - runs[0][0]) < 1e-6 && abs(runs[2][0] - runs[0][0]) < 1e-6)
    }

    @Test func `threads and recomputed activations do not change a bit`() throws {
        let one = try tinyTrainer(threads: 1)
        try one.run { _ in }
        var settings = tinySettings()
        settings.recomputesActivations = true
        let two = try tinyTrainer(settings, threads: 2)
        try two.run { _ in }
        #expect(one.weights.all.values == two.weights.all.values)
    }

    @Test func `every example is seen once an epoch, in an order of its own`() {
        let order = DataOrder(exampleCount: 21, examplesPerStep: 8, seed: 5, shuffles: true)
        #expect(order.stepsPerEpoch == 3)
        #expect((0..<3).map { order.range(step: $0).positions } == [0..<8, 8..<16, 16..<21])
        #expect(order.range(step: 7).epoch == 2)
        let epochs = (0..<3).map { order.order(epoch: $0) }
        #expect(epochs.allSatisfy { $0.sorted() == Array(0..<21) })
        #expect(Set(epochs).count == 3)
        let plain = DataOrder(exampleCount: 3, examplesPerStep: 2, seed: 5, shuffles: false)
        #expect(plain.order(epoch: 1) == [0, 1, 2])
    }

    @Test func `rates rise from zero and fall as the schedule says`() {
        var settings = TrainingSettings()
        settings.learningRate = 1
        settings.warmupSteps = 4
        settings.schedule = .cosine
        let cosine = LearningRate(settings, totalSteps: 12)
        #expect([0, 2, 4].map { cosine[$0] } == [0, 0.5, 1])
        #expect(abs(cosine[8] - 0.5) < 1e-12 && abs(cosine[12]) < 1e-12)
        settings.schedule = .linear
        #expect(LearningRate(settings, totalSteps: 12)[10] == 0.25)
        settings.schedule = .constant
        #expect(LearningRate(settings, totalSteps: 12)[11] == 1)
        settings.warmupSteps = nil
        settings.warmupRatio = 0.03
        #expect(LearningRate(settings, totalSteps: 101).warmupSteps == 4)
    }

    @Test func `a step without scored tokens changes nothing but the count`() throws {
        let example = TrainingSequence(ids: [1, 2, 3], labels: [-100, -100, -100])
        let weights = LlamaWeights(random: tiny, seed: 1)
        let before = weights.all.values
        let trainer = try Trainer(
            weights, examples: [example], settings: tinySettings(), compute: Compute())
        let metrics = try trainer.advance()
        #expect(metrics.loss == 0 && metrics.scoredTokens == 0 && trainer.step == 1)
        #expect(weights.all.values == before)
    }

    @Test func `a cancelled step leaves the weights as they were`() throws {
        var settings = tinySettings()
        settings.tokensPerPass = 30
        let trainer = try tinyTrainer(settings)
        _ = try trainer.advance()
        _ = try trainer.advance()
        let before = trainer.weights.all.values
        var asked = 0
        #expect(throws: CancellationError.self) {
            try trainer.advance {
                asked += 1
                return asked == 2
            }
        }
        #expect(trainer.weights.all.values == before && trainer.step == 2)
    }

    @Test func `wrong settings and examples are named`() {
        var settings = tinySettings()
        settings.batchSize = 0
        #expect(throws: TrainingError.setting(name: "batch size", problem: "is 0")) {
            try tinyTrainer(settings)
        }
        #expect(throws: TrainingError.noExamples) { try tinyTrainer(examples: 0) }
        let long = TrainingSequence(
            ids: Array(repeating: 1, count: 65), labels: Array(repeating: 1, count: 65))
        #expect {
            try Trainer(
                LlamaWeights(random: tiny, seed: 1), examples: [long], settings: tinySettings(),
                compute: Compute())
        } throws: {
            "\($0)" == "example 0: 65 tokens, but the model has 64 positions"
        }
    }
}
