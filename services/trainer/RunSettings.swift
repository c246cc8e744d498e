import FoundationEssentials
import Revising

/// Everything that decides a training run, named as the flags of the command line are.
struct RunSettings: Codable, Sendable, Equatable {
    /// A model folder; nil starts from nothing with `configuration`.
    var baseModel: String?
    /// The JSON of a `config.json`, where there is no base model; the vocabulary comes from the
    /// tokenizer.
    var configuration = ""
    /// A tokenizer's path where there is no base model; empty trains one on the data.
    var tokenizer = ""
    /// Entries of a tokenizer trained on the data.
    var vocabularySize = 512
    /// `full` or `answer-only`.
    var objective = "full"
    /// `strict` or `selfee`.
    var mode = "strict"
    var learningRate = 2e-5
    /// Sequences in one pass.
    var batchSize = 16
    var gradientAccumulationSteps = 1
    /// Passes over the data; a fraction ends within a pass.
    var epochs = 3.0
    /// Steps in all; more than 0 overrules `epochs`.
    var maximumSteps = 0
    /// The share of all steps in which the rate rises from 0.
    var warmupRatio = 0.0
    /// Steps in which the rate rises; more than 0 overrules `warmupRatio`.
    var warmupSteps = 0
    var weightDecay = 0.0
    /// `cosine`, `linear`, `constant` or `constant_with_warmup`.
    var scheduler = "cosine"
    /// The longest sequence in tokens; longer ones lose their end.
    var modelMaxLength = 512
    /// Steps between checkpoints; 0 writes none but the last.
    var saveSteps = 500
    /// Checkpoints kept; 0 keeps all.
    var saveTotalLimit = 0
    /// Steps between lines of the log.
    var loggingSteps = 1
    var seed: UInt64 = 42
    /// Whether activations are computed again in the backward pass instead of kept.
    var gradientCheckpointing = false
    /// The gradient's norm is cut to this; 0 cuts nothing.
    var maximumGradientNorm = 1.0
    var beta1 = 0.9
    var beta2 = 0.999
    var epsilon = 1e-8
    /// Compute threads; 0 takes one per core.
    var threads = 0

    /// What cannot be used, the flag first.
    func check() throws {
        func require(_ holds: Bool, _ flag: String, _ value: Any, _ expected: String) throws {
            if !holds {
                throw TrainerError.badSetting(flag: flag, value: "\(value)", expected: expected)
            }
        }
        let objectives = Objective.allCases.map(\.rawValue)
        try require(
            objectives.contains(objective), "--training_objective", objective,
            objectives.joined(separator: " or "))
        try require(
            ["strict", "selfee"].contains(mode), "--mode", mode, "strict or selfee")
        try require(
            learningRate > 0 && learningRate.isFinite, "--learning_rate", learningRate,
            "a number above 0")
        try require(batchSize > 0, "--per_device_train_batch_size", batchSize, "1 or more")
        try require(
            gradientAccumulationSteps > 0, "--gradient_accumulation_steps",
            gradientAccumulationSteps, "1 or more")
        try require(
            epochs > 0 || maximumSteps > 0, "--num_train_epochs", epochs, "a number above 0")
        try require(
            (0...1).contains(warmupRatio), "--warmup_ratio", warmupRatio, "0 to 1")
        try require(weightDecay >= 0, "--weight_decay", weightDecay, "0 or more")
        let schedulers = ["cosine", "linear", "constant", "constant_with_warmup"]
        try require(
            schedulers.contains(scheduler), "--lr_scheduler_type", scheduler,
            schedulers.joined(separator: ", "))
        try require(modelMaxLength > 1, "--model_max_length", modelMaxLength, "2 or more")
        try require(saveSteps >= 0, "--save_steps", saveSteps, "0 or more")
        try require(saveTotalLimit >= 0, "--save_total_limit", saveTotalLimit, "0 or more")
        try require(loggingSteps > 0, "--logging_steps", loggingSteps, "1 or more")
        try require(
            (0..<1).contains(beta1) && (0..<1).contains(beta2), "--adam_beta1, --adam_beta2",
            "\(beta1), \(beta2)", "0 or more and below 1")
        try require(
            baseModel != nil || !configuration.isEmpty, "--model_name_or_path", "",
            "a model folder, or --model_config FILE to start from nothing")
    }
}
