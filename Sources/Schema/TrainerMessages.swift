public import Wire

/// Which tokens are learned.
public enum TrainingObjective: WireEnum {
    case full, answerOnly
    case unknown(UInt64)
    public static let wireName = "hone.trainer.TrainingObjective"
    public static let known: [Self] = [.full, .answerOnly]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// Numbers of a run; what is absent takes the trainer's default.
public struct TrainingParameters: WireMessage {
    public static let wireName = "hone.trainer.TrainingParameters"
    public var objective = TrainingObjective.full
    public var mode = ChainMode.strict
    public var learningRate: Double?
    public var batchSize: Int?
    public var gradientAccumulationSteps: Int?
    public var epochs: Double?
    public var maximumSteps: Int?
    public var warmupRatio: Double?
    public var weightDecay: Double?
    public var scheduler = ""
    public var modelMaxLength: Int?
    public var saveSteps: Int?
    public var saveTotalLimit: Int?
    public var loggingSteps: Int?
    public var seed: Int?
    public var gradientCheckpointing: Bool?
    public var maximumGradientNorm: Double?
    public var beta1: Double?
    public var beta2: Double?
    public var epsilon: Double?

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.enumeration(1, "objective", &objective)
        coder.enumeration(2, "mode", &mode)
        coder.f64(3, "learningRate", &learningRate)
        coder.uint(4, "batchSize", &batchSize)
        coder.uint(5, "gradientAccumulationSteps", &gradientAccumulationSteps)
        coder.f64(6, "epochs", &epochs)
        coder.uint(7, "maximumSteps", &maximumSteps)
        coder.f64(8, "warmupRatio", &warmupRatio)
        coder.f64(9, "weightDecay", &weightDecay)
        coder.string(10, "scheduler", &scheduler)
        coder.uint(11, "modelMaxLength", &modelMaxLength)
        coder.uint(12, "saveSteps", &saveSteps)
        coder.uint(13, "saveTotalLimit", &saveTotalLimit)
        coder.uint(14, "loggingSteps", &loggingSteps)
        coder.uint(15, "seed", &seed)
        coder.bool(16, "gradientCheckpointing", &gradientCheckpointing)
        coder.f64(17, "maximumGradientNorm", &maximumGradientNorm)
        coder.f64(18, "beta1", &beta1)
        coder.f64(19, "beta2", &beta2)
        coder.f64(20, "epsilon", &epsilon)
    }
}

/// Asks for a run.
public struct TrainingRequest: WireMessage {
    public static let wireName = "hone.trainer.TrainingRequest"
    public var key = ""
    public var dataset = DatasetReference()
    public var baseModel = ""
    public var configuration = ""
    public var outputModel = ""
    public var parameters = TrainingParameters()
    public var tokenizer = ""
    public var vocabularySize = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "key", &key)
        coder.message(2, "dataset", &dataset)
        coder.string(3, "baseModel", &baseModel)
        coder.string(4, "configuration", &configuration)
        coder.string(5, "outputModel", &outputModel)
        coder.message(6, "parameters", &parameters)
        coder.string(7, "tokenizer", &tokenizer)
        coder.uint(8, "vocabularySize", &vocabularySize)
    }
}

/// A checkpoint that was written.
public struct CheckpointReply: WireMessage {
    public static let wireName = "hone.trainer.CheckpointReply"
    public var path = ""
    public var step = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "path", &path)
        coder.uint(2, "step", &step)
    }
}

/// Paths of the three models a difference ties together, on the trainer's machine.
public struct DiffRequest: WireMessage {
    public static let wireName = "hone.trainer.DiffRequest"
    public var raw = ""
    public var tuned = ""
    public var diff = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "raw", &raw)
        coder.string(2, "tuned", &tuned)
        coder.string(3, "diff", &diff)
    }
}
