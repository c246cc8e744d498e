import FoundationEssentials
import Llama
import Tensors
import Testing
import Training

struct TrainingCheckpointTests {
    @Test func `a resumed run continues bit for bit`() throws {
        let straight = try tinyTrainer()
        var expected: [StepMetrics] = []
        try straight.run { expected.append($0) }
        try withFolder { folder in
            let policy = CheckpointPolicy(folder: folder, stepsPerSave: 5)
            let interrupted = try tinyTrainer()
            #expect(throws: CancellationError.self) {
                try interrupted.run(policy, isCancelled: { interrupted.step == 7 }) { _ in }
            }
            let checkpoint = try #require(TrainingCheckpoint.latest(in: folder))
            #expect(checkpoint.step == 7)
            let resumed = try Trainer(
                resuming: checkpoint, examples: tinyExamples(21), settings: tinySettings(),
                compute: Compute(threads: 2))
            var rest: [StepMetrics] = []
            try resumed.run(policy) { rest.append($0) }
            #expect(resumed.weights.all.values == straight.weights.all.values)
            #expect(rest.map(\.loss) == expected.dropFirst(7).map(\.loss))
            #expect(rest.map(\.gradientNorm) == expected.dropFirst(7).map(\.gradientNorm))
            #expect(TrainingCheckpoint.all(in: folder).map(\.step) == [5, 7, 10, 12])
        }
    }

    @Test func `only so many checkpoints stay, and each is a model`() throws {
        try withFolder { folder in
            let note = folder.appending(path: "tokenizer.json")
            try Data("{}".utf8).write(to: note)
            let trainer = try tinyTrainer()
            let policy = CheckpointPolicy(
                folder: folder.appending(path: "run"), stepsPerSave: 2, limit: 2,
                alongside: [note])
            try FileManager.default.createDirectory(
                at: policy.folder.appending(path: ".checkpoint-1.new"),
                withIntermediateDirectories: true)
            try trainer.run(policy) { _ in }
            let kept = TrainingCheckpoint.all(in: policy.folder)
            #expect(kept.map(\.step) == [10, 12])
            let names = try FileManager.default.contentsOfDirectory(atPath: policy.folder.path)
            #expect(names.count == 2)
            let weights = try LlamaWeights(folder: kept[1].folder)
            #expect(weights.all.values == trainer.weights.all.values)
            #expect(
                FileManager.default.fileExists(
                    atPath: kept[0].folder.appending(path: "tokenizer.json").path))
        }
    }

    @Test func `other data or settings are refused`() throws {
        try withFolder { folder in
            let trainer = try tinyTrainer()
            _ = try trainer.advance()
            let checkpoint = try trainer.save(CheckpointPolicy(folder: folder, stepsPerSave: 0))
            #expect(throws: TrainingError.self) {
                try Trainer(
                    resuming: checkpoint, examples: tinyExamples(21, seed: 2),
                    settings: tinySettings(), compute: Compute())
            }
            var settings = tinySettings()
            settings.learningRate = 1
            #expect(throws: TrainingError.self) {
                try Trainer(
                    resuming: checkpoint, examples: tinyExamples(21), settings: settings,
                    compute: Compute())
            }
            try Data("{".utf8).write(
                to: checkpoint.folder.appending(path: "trainer_state.json"))
            #expect(throws: TrainingError.self) {
                try Trainer(
                    resuming: checkpoint, examples: tinyExamples(21), settings: tinySettings(),
                    compute: Compute())
            }
        }
    }
}

struct WeightDifferenceTests {
    @Test(arguments: [40, 41, 43], [false, true])
    func `a tuned model is its base and the difference`(vocabulary: Int, tied: Bool) throws {
        try withFolder { folder in
            var configuration = tiny
            configuration.tiesEmbeddings = tied
            let base = LlamaWeights(random: configuration, seed: 1)
            configuration.vocabularySize = vocabulary
            let tuned = LlamaWeights(random: configuration, seed: 2)
            let urls = ["base", "tuned", "difference", "again"].map { folder.appending(path: $0) }
            try base.save(to: urls[0])
            try tuned.save(to: urls[1])
            try WeightDifference.make(base: urls[0], tuned: urls[1], to: urls[2])
            try WeightDifference.apply(base: urls[0], difference: urls[2], to: urls[3])
            let again = try LlamaWeights(folder: urls[3])
            let far = zip(again.all.values, tuned.all.values).reduce(Float(0)) {
                max($0, abs($1.0 - $1.1))
            }
            // One rounding each way.
            #expect(far < 1e-7)
            #expect(again.configuration == configuration)
            let resized = base.resized(vocabulary: vocabulary)
            let difference = try LlamaWeights(folder: urls[2])
            let start = resized.all.values
            let exact = zip(difference.all.values, tuned.all.values).enumerated().allSatisfy {
                $1.0 == $1.1 - start[$0]
            }
            #expect(exact)
        }
    }

    @Test func `new rows are the mean of the old ones, in embedding and head`() throws {
        let base = LlamaWeights(random: tiny, seed: 1)
        let resized = base.resized(vocabulary: 42)
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            let old = try #require(base[name])
            let new = try #require(resized[name])
            let mean = (0..<32).map { column in
                Float((0..<40).reduce(0.0) { $0 + Double(old[$1, column]) } / 40)
            }
            #expect(new.slice(rows: 0..<40).values == old.values)
            #expect(new.row(40) == mean && new.row(41) == mean)
        }
    }

    @Test func `models of other shapes are refused`() throws {
        try withFolder { folder in
            var other = tiny
            other.layers = 1
            let urls = ["base", "tuned"].map { folder.appending(path: $0) }
            try LlamaWeights(random: tiny, seed: 1).save(to: urls[0])
            try LlamaWeights(random: other, seed: 1).save(to: urls[1])
            #expect(throws: TrainingError.self) {
                try WeightDifference.make(
                    base: urls[0], tuned: urls[1], to: folder.appending(path: "difference"))
            }
            other = tiny
            other.vocabularySize = 39
            try LlamaWeights(random: other, seed: 1).save(to: urls[1])
            #expect {
                try WeightDifference.make(
                    base: urls[0], tuned: urls[1], to: folder.appending(path: "difference"))
            } throws: {
                "\($0)" == "vocabulary: 39 tokens over a base of 40"
            }
        }
    }
}
