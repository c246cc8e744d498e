import Corpus
import Dispatch
import FoundationEssentials
import Llama
import Synchronization
import Tensors
import Tokenization
import Training

/// One run: from chains to a model folder, resumable at its checkpoints.
///
/// It computes on the thread that calls it, so call it from a compute thread.
struct TrainingRun {
    let settings: RunSettings
    let folder: RunFolder
    /// Named in the picture of the loss.
    let name: String

    /// What a run begins with.
    struct Beginning {
        var totalSteps: Int
        /// Steps that an earlier process has done.
        var doneSteps: Int
        var sequences: Int
        /// Sequences that lost their end.
        var truncated: Int
        /// Sequences without a token to learn.
        var unscored: Int
        /// The longest sequence there may be, in tokens.
        var maximumLength: Int

        /// For a person.
        var text: String {
            var text = "\(sequences) sequences, \(truncated) cut at \(maximumLength) tokens"
            if unscored > 0 { text += ", \(unscored) without a token to learn" }
            return text
        }
    }

    /// What a run tells while it works.
    struct Listener {
        /// How many chains are tokens, and of how many.
        var tokenized: (_ done: Int, _ total: Int) -> Void = { _, _ in }
        var began: (Beginning) -> Void = { _ in }
        var step: (_ record: StepRecord, _ total: Int) -> Void = { _, _ in }
        var isCancelled: () -> Bool = { false }
        /// Whether a checkpoint is asked for now; asked once a step.
        var wantsCheckpoint: () -> Bool = { false }
        var saved: (_ step: Int, _ path: String) -> Void = { _, _ in }
    }

    /// How a run ended.
    struct Outcome: Sendable {
        var steps: Int
        /// Mean of the last twentieth of the logged steps.
        var loss: Double
        var tokens: Int
        var seconds: Double
        var sequences: Int
        var truncated: Int
        var unscored: Int
    }

    /// Trains, or goes on from the newest checkpoint in the folder, and writes the model.
    func callAsFunction(chains: [Chain], _ listener: Listener) throws -> Outcome {
        try folder.removeLeftovers()
        let preparation = try Preparation(settings, chains: chains) {
            listener.tokenized($0, chains.count)
        }
        let examples = preparation.sequences.map {
            TrainingSequence(ids: $0.tokens, labels: $0.labels)
        }
        let tokenizerFolder = folder.path + "/tokenizer"
        try preparation.tokenizer.save(to: tokenizerFolder)
        // The model's folder has its files in the end; this one is gone however the run ends.
        defer { try? FileManager.default.removeItem(atPath: tokenizerFolder) }
        let alongside = try FileManager.default.contentsOfDirectory(atPath: tokenizerFolder)
            .sorted().map { URL(filePath: tokenizerFolder + "/" + $0) }
        let trainer = try makeTrainer(preparation.weights, examples)
        let total = trainer.totalSteps
        listener.began(
            Beginning(
                totalSteps: total, doneSteps: trainer.step, sequences: examples.count,
                truncated: preparation.truncated, unscored: preparation.unscored,
                maximumLength: preparation.maximumLength))
        var log = RunLog(
            records: try folder.records(upTo: trainer.step), folder: folder, name: name)
        let policy = CheckpointPolicy(
            folder: URL(filePath: folder.path), stepsPerSave: settings.saveSteps,
            limit: settings.saveTotalLimit > 0 ? settings.saveTotalLimit : nil,
            alongside: alongside)
        var tokens = 0
        var seconds = 0.0
        while !trainer.isFinished {
            do {
                let metrics = try trainer.advance(isCancelled: listener.isCancelled)
                tokens += metrics.tokens
                seconds += metrics.seconds
                if metrics.step % settings.loggingSteps == 0 || trainer.isFinished {
                    let record = StepRecord(metrics)
                    try log.append(record)
                    listener.step(record, total)
                }
            } catch is CancellationError {
                if trainer.step > 0 { try save(trainer, policy, listener) }
                try log.flush()
                throw CancellationError()
            } catch {
                // The curve shows how it came to this.
                try log.flush()
                throw error
            }
            if (isDue(trainer) && !trainer.isFinished) || listener.wantsCheckpoint() {
                try log.flush()
                try save(trainer, policy, listener)
            }
        }
        try log.flush()
        try save(trainer, policy, listener)
        try writeModel(trainer.weights, alongside)
        return Outcome(
            steps: trainer.step, loss: log.lastLoss, tokens: tokens, seconds: seconds,
            sequences: examples.count, truncated: preparation.truncated,
            unscored: preparation.unscored)
    }

    /// Whether the step just done is followed by a checkpoint.
    private func isDue(_ trainer: Trainer) -> Bool {
        switch settings.saveStrategy {
        case "no": false
        case "epoch": trainer.step % trainer.order.stepsPerEpoch == 0
        default: settings.saveSteps > 0 && trainer.step % settings.saveSteps == 0
        }
    }

    private func makeTrainer(
        _ weights: LlamaWeights, _ examples: [TrainingSequence]
    ) throws -> Trainer {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let compute = Compute(threads: settings.threads > 0 ? settings.threads : cores)
        let url = URL(filePath: folder.path, directoryHint: .isDirectory)
        guard let checkpoint = TrainingCheckpoint.latest(in: url) else {
            return try Trainer(
                weights, examples: examples, settings: settings.training, compute: compute)
        }
        return try Trainer(
            resuming: checkpoint, examples: examples, settings: settings.training,
            compute: compute)
    }

    private func save(
        _ trainer: Trainer, _ policy: CheckpointPolicy, _ listener: Listener
    ) throws {
        let checkpoint = try trainer.save(policy)
        listener.saved(checkpoint.step, checkpoint.folder.path)
    }

    /// The model's files appear in the run's folder one by one, the weights last but whole.
    private func writeModel(_ weights: LlamaWeights, _ alongside: [URL]) throws {
        let files = FileManager.default
        let model = folder.path + "/model"
        try weights.save(
            to: URL(filePath: model, directoryHint: .isDirectory),
            LlamaWeights.SaveOptions(alongside: alongside))
        for file in try files.contentsOfDirectory(atPath: model).sorted() {
            let target = folder.path + "/" + file
            if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
            try files.moveItem(atPath: model + "/" + file, toPath: target)
        }
        try files.removeItem(atPath: model)
    }
}

/// The log of a run: written often enough to be watched, seldom enough to cost nothing.
private struct RunLog {
    private(set) var records: [StepRecord]
    let folder: RunFolder
    let name: String
    private var written = ContinuousClock.now

    init(records: [StepRecord], folder: RunFolder, name: String) {
        self.records = records
        self.folder = folder
        self.name = name
    }

    mutating func append(_ record: StepRecord) throws {
        records.append(record)
        if ContinuousClock.now - written > .seconds(3) { try flush() }
    }

    mutating func flush() throws {
        try folder.write(records, title: "\(name): loss by step")
        written = .now
    }

    var lastLoss: Double {
        let last = records.suffix(max(1, records.count / 20))
        return last.isEmpty ? 0 : last.map(\.loss).reduce(0, +) / Double(last.count)
    }
}

extension StepRecord {
    init(_ metrics: StepMetrics) {
        self.init(
            step: metrics.step, loss: metrics.loss, learningRate: metrics.learningRate,
            gradientNorm: metrics.gradientNorm, tokensPerSecond: metrics.tokensPerSecond,
            epoch: metrics.epoch)
    }
}

extension RunSettings {
    /// The same for the engine.
    var training: TrainingSettings {
        var training = TrainingSettings()
        training.batchSize = batchSize
        training.accumulation = gradientAccumulationSteps
        training.epochs = epochs
        training.maximumSteps = maximumSteps > 0 ? maximumSteps : nil
        training.learningRate = learningRate
        training.schedule =
            switch scheduler {
            case "cosine": .cosine
            case "linear": .linear
            default: .constant
            }
        training.warmupSteps = scheduler == "constant" ? 0 : warmupSteps > 0 ? warmupSteps : nil
        training.warmupRatio = warmupRatio
        training.weightDecay = weightDecay
        training.beta1 = beta1
        training.beta2 = beta2
        training.epsilon = epsilon
        training.maximumGradientNorm = maximumGradientNorm
        training.seed = seed
        training.recomputesActivations = gradientCheckpointing
        return training
    }
}
