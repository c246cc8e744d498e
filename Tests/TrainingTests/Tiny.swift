import FoundationEssentials
import Llama
import Tensors
import Training

/// A model of its own, so that nothing shared is needed.
let tiny = LlamaConfiguration(
    vocabularySize: 40, dimension: 32, intermediateDimension: 48, layers: 2, queryHeads: 4,
    keyValueHeads: 2, maximumPositions: 64)

/// Sequences that count upwards, of different lengths, the beginning masked.
func tinyExamples(_ count: Int, seed: UInt64 = 1) -> [TrainingSequence] {
    var source = RandomSource(seed: seed)
    return (0..<count).map { _ in
        let start = Int32.random(in: 0..<40, using: &source)
        let ids = (0..<Int32.random(in: 4..<30, using: &source)).map { (start + $0) % 40 }
        return TrainingSequence(ids: ids, labels: [-100, -100] + ids.dropFirst(2))
    }
}

func tinySettings() -> TrainingSettings {
    var settings = TrainingSettings()
    settings.batchSize = 4
    settings.accumulation = 2
    settings.maximumSteps = 12
    settings.learningRate = 3e-3
    settings.schedule = .cosine
    settings.warmupRatio = 0.2
    settings.weightDecay = 0.01
    settings.tokensPerPass = 100
    return settings
}

func tinyTrainer(
    _ settings: TrainingSettings = tinySettings(), threads: Int = 1, examples: Int = 21
) throws -> Trainer {
    try Trainer(
        LlamaWeights(random: tiny, seed: 3), examples: tinyExamples(examples),
        settings: settings, compute: Compute(threads: threads))
}

/// A folder that goes away afterwards.
func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
        .appending(path: "hone-training-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}
