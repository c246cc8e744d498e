import ArgumentParser
import FoundationEssentials

/// The flags of `hone train`: the original's names, on a machine without accelerators.
struct RunFlags: ParsableArguments {
    @Option(
        name: .customLong("model_name_or_path"),
        help: ArgumentHelp("The base model, a folder in Hugging Face layout.", valueName: "folder"))
    var model: String?
    @Option(
        name: .customLong("model_config"),
        help: ArgumentHelp(
            "Starts from nothing with the shape of this config.json.", valueName: "file"))
    var configuration: String?
    @Option(
        name: .customLong("tokenizer"),
        help: ArgumentHelp(
            "With --model_config: a tokenizer file or folder; without one, one is trained on the data.",
            valueName: "path"))
    var tokenizer: String?
    @Option(
        name: .customLong("vocabulary_size"), help: "Entries of a tokenizer trained on the data.")
    var vocabularySize = 512
    @Option(
        name: .customLong("data_path"),
        help: ArgumentHelp("Chains: a JSON array or JSON Lines.", valueName: "file"))
    var data: String
    @Option(
        name: .customLong("output_dir"),
        help: ArgumentHelp(
            "Where the model, its checkpoints and its curve go.", valueName: "folder"))
    var output: String
    @Option(
        name: .customLong("training_objective"),
        help: "full learns the whole chain, answer-only its first answer.")
    var objective = "full"
    @Option(help: "strict escapes headings inside texts; selfee writes them as the original does.")
    var mode = "strict"
    @Option(name: .customLong("num_train_epochs"), help: "Passes over the data.")
    var epochs = 3.0
    @Option(
        name: .customLong("max_steps"), parsing: .unconditional,
        help: "Steps in all; above 0 overrules the passes, -1 does not.")
    var maximumSteps = -1
    @Option(name: .customLong("per_device_train_batch_size"), help: "Sequences in one pass.")
    var batchSize = 16
    @Option(name: .customLong("gradient_accumulation_steps"), help: "Passes before each step.")
    var accumulation = 1
    @Option(name: .customLong("learning_rate"), help: "The peak rate.")
    var learningRate = 2e-5
    @Option(name: .customLong("weight_decay"), help: "Decoupled decay of matrices.")
    var weightDecay = 0.0
    @Option(name: .customLong("warmup_ratio"), help: "The share of steps in which the rate rises.")
    var warmupRatio = 0.0
    @Option(name: .customLong("warmup_steps"), help: "The same as a number; above 0 overrules it.")
    var warmupSteps = 0
    @Option(
        name: .customLong("lr_scheduler_type"),
        help: "cosine, linear, constant or constant_with_warmup.")
    var scheduler = "cosine"
    @Option(name: .customLong("model_max_length"), help: "The longest sequence, in tokens.")
    var modelMaxLength = 512
    @Option(
        name: .customLong("save_strategy"),
        help: "steps, epoch, or no for no checkpoint before the end.")
    var saveStrategy = "steps"
    @Option(name: .customLong("save_steps"), help: "Steps between checkpoints; 0 for none.")
    var saveSteps = 500
    @Option(name: .customLong("save_total_limit"), help: "Checkpoints kept; 0 keeps all.")
    var saveTotalLimit = 0
    @Option(name: .customLong("logging_steps"), help: "Steps between lines of the log.")
    var loggingSteps = 1
    @Option(
        name: .customLong("max_grad_norm"), help: "The gradient's norm is cut to this; 0: never.")
    var maximumGradientNorm = 1.0
    @Option(name: .customLong("adam_beta1"), help: "Decay of the mean of gradients.")
    var beta1 = 0.9
    @Option(name: .customLong("adam_beta2"), help: "Decay of the mean of squared gradients.")
    var beta2 = 0.999
    @Option(name: .customLong("adam_epsilon"), help: "Keeps the division finite.")
    var epsilon = 1e-8
    @Option(help: "Decides the order of the data and the first weights.")
    var seed: UInt64 = 42
    @Option(
        name: .customLong("gradient_checkpointing"),
        help: "True computes activations again instead of keeping them.")
    var gradientCheckpointing = Truth(isTrue: false)
    @Option(help: "Compute threads; 0 takes one per core.")
    var threads = 0
    @OptionGroup(title: "Accepted for the original's command lines, without effect here")
    var ignored: IgnoredFlags

    func validate() throws {
        var settings = numbers
        // The file is read when the run begins.
        settings.configuration = configuration ?? ""
        do {
            try settings.check()
        } catch let error as TrainerError {
            throw ValidationError(error.description)
        }
    }

    func settings() throws -> RunSettings {
        var settings = numbers
        guard let configuration else { return settings }
        do {
            settings.configuration = try String(
                contentsOf: URL(filePath: configuration), encoding: .utf8)
        } catch {
            let isThere = FileManager.default.fileExists(atPath: configuration)
            throw TrainerError.badConfiguration(
                reason: "\(configuration) "
                    + (isThere ? "cannot be read as UTF-8 text" : "does not exist"))
        }
        return settings
    }

    /// The settings without what lies in files.
    private var numbers: RunSettings {
        var settings = RunSettings()
        settings.baseModel = model
        settings.tokenizer = tokenizer ?? ""
        settings.vocabularySize = vocabularySize
        settings.objective = objective
        settings.mode = mode
        settings.learningRate = learningRate
        settings.batchSize = batchSize
        settings.gradientAccumulationSteps = accumulation
        settings.epochs = epochs
        settings.maximumSteps = maximumSteps
        settings.warmupRatio = warmupRatio
        settings.warmupSteps = warmupSteps
        settings.weightDecay = weightDecay
        settings.scheduler = scheduler
        settings.modelMaxLength = modelMaxLength
        settings.saveStrategy = saveStrategy
        settings.saveSteps = saveSteps
        settings.saveTotalLimit = saveTotalLimit
        settings.loggingSteps = loggingSteps
        settings.seed = seed
        settings.gradientCheckpointing = gradientCheckpointing.isTrue
        settings.maximumGradientNorm = maximumGradientNorm
        settings.beta1 = beta1
        settings.beta2 = beta2
        settings.epsilon = epsilon
        settings.threads = threads
        return settings
    }
}

/// Yes or no as the original's command lines spell it: True, yes, on, 1 and their opposites.
struct Truth: ExpressibleByArgument {
    var isTrue: Bool

    init(isTrue: Bool) {
        self.isTrue = isTrue
    }

    init?(argument: String) {
        switch argument.lowercased() {
        case "true", "yes", "on", "t", "y", "1": isTrue = true
        case "false", "no", "off", "f", "n", "0": isTrue = false
        default: return nil
        }
    }

    var defaultValueDescription: String { isTrue ? "True" : "False" }
}

/// What the original's command line says about accelerators, sharding and evaluation.
struct IgnoredFlags: ParsableArguments {
    @Option(name: .customLong("bf16"), help: .hidden) var bf16: Truth?
    @Option(name: .customLong("tf32"), help: .hidden) var tf32: Truth?
    @Option(name: .customLong("fsdp"), help: .hidden) var fsdp: String?
    @Option(name: .customLong("fsdp_transformer_layer_cls_to_wrap"), help: .hidden)
    var wrap: String?
    @Option(name: .customLong("per_device_eval_batch_size"), help: .hidden) var evalBatch: String?
    @Option(name: .customLong("evaluation_strategy"), help: .hidden) var evaluation: String?
    @Option(name: .customLong("lazy_preprocess"), help: .hidden) var lazy: Truth?
    @Option(name: .customLong("cache_dir"), help: .hidden) var cache: String?
    @Option(name: .customLong("optim"), help: .hidden) var optimizer: String?
    @Option(name: .customLong("report_to"), help: .hidden) var report: String?

    /// The flags that were given, for one line that says so.
    var given: [String] {
        [
            ("--bf16", bf16 != nil), ("--tf32", tf32 != nil), ("--fsdp", fsdp != nil),
            ("--fsdp_transformer_layer_cls_to_wrap", wrap != nil),
            ("--per_device_eval_batch_size", evalBatch != nil),
            ("--evaluation_strategy", evaluation != nil), ("--lazy_preprocess", lazy != nil),
            ("--cache_dir", cache != nil), ("--optim", optimizer != nil),
            ("--report_to", report != nil),
        ].filter(\.1).map(\.0)
    }
}
