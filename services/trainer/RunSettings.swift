import FoundationEssentials
import Revising

/// Everything that decides a training run, named as the flags of the command line are.
package struct RunSettings: Codable, Sendable, Equatable {
    /// A model folder; nil starts from nothing with `configuration`.
    package var baseModel: String?
    /// The JSON of a `config.json`, where there is no base model; the vocabulary comes from the
    /// tokenizer.
    package var configuration = ""
    /// A tokenizer's path where there is no base model; empty trains one on the data.
    package var tokenizer = ""
    /// Entries of a tokenizer trained on the data.
    package var vocabularySize = 512
    /// `full` or `answer-only`.
    package var objective = "full"
    /// `strict` or `selfee`.
    package var mode = "strict"
    package var learningRate = 2e-5
    /// Sequences in one pass.
    package var batchSize = 16
    package var gradientAccumulationSteps = 1
    /// Passes over the data; a fraction ends within a pass.
    package var epochs = 3.0
    /// Steps in all; more than 0 overrules `epochs`.
    package var maximumSteps = 0
    /// The share of all steps in which the rate rises from 0.
    package var warmupRatio = 0.0
    /// Steps in which the rate rises; more than 0 overrules `warmupRatio`.
    package var warmupSteps = 0
    package var weightDecay = 0.0
    /// `cosine`, `linear`, `constant` or `constant_with_warmup`.
    package var scheduler = "cosine"
    /// The longest sequence in tokens; longer ones lose their end.
    package var modelMaxLength = 512
    /// `steps`, `epoch` (after each pass over the data), or `no` for none but the last.
    package var saveStrategy = "steps"
    /// Steps between checkpoints; 0 writes none but the last.
    package var saveSteps = 500
    /// Checkpoints kept; 0 keeps all.
    package var saveTotalLimit = 0
    /// Steps between lines of the log.
    package var loggingSteps = 1
    package var seed: UInt64 = 42
    /// Whether activations are computed again in the backward pass instead of kept.
    package var gradientCheckpointing = false
    /// The gradient's norm is cut to this; 0 cuts nothing.
    package var maximumGradientNorm = 1.0
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8
    /// Compute threads; 0 takes one per core.
    package var threads = 0

    package init() {}

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
        try require(maximumSteps >= -1, "--max_steps", maximumSteps, "-1 or more")
        try require(
            ["no", "steps", "epoch"].contains(saveStrategy), "--save_strategy", saveStrategy,
            "no, steps or epoch")
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
