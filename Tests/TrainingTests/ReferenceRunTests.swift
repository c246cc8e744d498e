import FoundationEssentials
import Llama
import Tensors
import TestKit
import Testing
import Training

/// The runs that the Hugging Face Trainer did with the small shared checkpoints.
@Suite(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
struct ReferenceRunTests {
    struct Expected: Decodable {
        var input_ids: [[Int32]]
        var labels_masked: [[Int32]]
        var greedy: Greedy
        var train: Run
    }

    struct Greedy: Decodable {
        var prompt: [Int32]
    }

    struct Run: Decodable {
        var settings: Settings
        var loss: [Double]
        var grad_norm_before_clip: [Double]
        var lr_applied: [Double]
        var decayed: [String]
        var final_param_norms: [String: Double]
        var loss_after: Double
        var greedy_after: [Int32]
    }

    struct Settings: Decodable {
        var steps: Int
        var batch: Int
        var accumulate: Int?
        var lr: Double
        var weight_decay: Double
        var beta1: Double
        var beta2: Double
        var eps: Double
        var clip: Double
        var warmup: Int
    }

    private func settings(_ given: Settings) -> TrainingSettings {
        var settings = TrainingSettings()
        settings.maximumSteps = given.steps
        settings.batchSize = given.batch
        settings.accumulation = given.accumulate ?? 1
        settings.learningRate = given.lr
        settings.weightDecay = given.weight_decay
        settings.beta1 = given.beta1
        settings.beta2 = given.beta2
        settings.epsilon = given.eps
        settings.maximumGradientNorm = given.clip
        settings.warmupSteps = given.warmup
        settings.schedule = .cosine
        settings.shuffles = false
        return settings
    }

    @Test(arguments: ["gqa", "tied", "llama3rope", "linear-shards-bf16"])
    func `a run goes as that of transformers`(name: String) throws {
        let folder = try SharedData.file("reference/hf/\(name)")
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
        let examples = zip(expected.input_ids, expected.labels_masked).map {
            TrainingSequence(ids: $0, labels: $1)
        }
        let compute = Compute(threads: 2)
        let trainer = try Trainer(
            LlamaWeights(folder: folder), examples: examples,
            settings: settings(expected.train.settings), compute: compute)
        for index in 0..<expected.train.settings.steps {
            let metrics = try trainer.advance()
            #expect(abs(metrics.loss - expected.train.loss[index]) < 1e-3)
            #expect(abs(metrics.learningRate - expected.train.lr_applied[index]) < 1e-9)
            let norm = expected.train.grad_norm_before_clip[index]
            // Of equal weights the norms are equal; then Adam lets small differences grow.
            let tolerance = index == 0 ? 1e-4 : 1e-3
            #expect(abs(metrics.gradientNorm - norm) < tolerance * norm, "step \(index)")
        }
        #expect(trainer.isFinished)
        for (name, wanted) in expected.train.final_param_norms {
            let tensor = try #require(trainer.weights[name])
            let norm = compute.sumOfSquares(tensor).squareRoot()
            #expect(abs(norm - wanted) < 1e-3 * wanted, "\(name): \(norm), not \(wanted)")
        }
        try checkAfter(trainer, expected, examples, folder)
    }

    private func checkAfter(
        _ trainer: Trainer, _ expected: Expected, _ examples: [TrainingSequence], _ folder: URL
    ) throws {
        if !expected.train.decayed.isEmpty {
            let matrices = trainer.weights.layout.entries.filter(\.isMatrix).map(\.name)
            #expect(Set(expected.train.decayed) == Set(matrices))
        }
        let first = examples.prefix(trainer.settings.examplesPerStep)
        let losses = [
            try trainer.loss(of: Array(first)), try trainer.loss(of: examples),
            try trainer.loss(of: Array(examples.prefix(2))),
        ]
        #expect(
            abs(losses[2] - expected.train.loss_after) < 1e-3,
            "\(losses), expected \(expected.train.loss_after)")
        let tensors = try SafetensorsFile(folder.appending(path: "expected.safetensors"))
        for (key, name) in [
            ("trained.layers.0.down_proj", "model.layers.0.mlp.down_proj.weight"),
            ("trained.model.norm.weight", "model.norm.weight"),
        ] {
            let wanted = try tensors.read(key).values
            let values = try #require(trainer.weights[name]).values
            let difference = zip(values, wanted).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
            #expect(difference < 1e-3, "\(key)")
        }
        let model = LlamaModel(trainer.weights)
        let cache = model.makeCache(capacity: 128)
        let workspace = model.makeWorkspace()
        var next = expected.greedy.prompt
        var tokens: [Int32] = []
        for _ in expected.train.greedy_after {
            let result = try model.decode(
                [DecodeStep(cache: cache, tokens: next)], workspace: workspace)
            next = [Int32(result.logits.largestColumn(row: 0))]
            tokens += next
        }
        #expect(tokens == expected.train.greedy_after)
    }
}
