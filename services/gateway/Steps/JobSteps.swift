import Corpus
import Jobs
import RPC
import Schema
import ServiceKit
import Wire

/// Lets a teacher make chains of a dataset.
struct AugmentStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = AugmentationRequest()
        request.key = scope.key
        request.dataset = try fields.dataset("dataset")
        request.outputName = try fields.text("output")
        request.procedure = try fields.choice("procedure") ?? .unspecified
        request.mode = try fields.choice("mode") ?? .strict
        request.endpoint = try fields.endpoint("endpoint")
        request.limit = try fields.integer("limit") ?? 0
        request.concurrency = try fields.integer("concurrency") ?? 0
        let (asked, client) = (request, scope.services.augmentation)
        var result = try await scope.job("augmentation", .augmentation(client)) {
            try await client.unary(AugmentationAPI.start, asked)
        }
        if result["dataset"]?.stringValue == nil { result["dataset"] = .string(asked.outputName) }
        return result
    }
}

/// Trains a model.
struct TrainStep: StepAction {
    /// The fields that become `TrainingParameters`.
    static let parameters = [
        "objective", "mode", "learningRate", "batchSize", "gradientAccumulationSteps", "epochs",
        "maximumSteps", "warmupRatio", "weightDecay", "scheduler", "modelMaxLength", "saveSteps",
        "saveTotalLimit", "loggingSteps", "seed", "gradientCheckpointing",
        "maximumGradientNorm", "beta1", "beta2", "epsilon",
    ]

    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = TrainingRequest()
        request.key = scope.key
        request.dataset = try fields.dataset("dataset")
        request.baseModel = try Self.model(fields.string("baseModel") ?? "", scope)
        request.outputModel = try fields.text("outputModel")
        request.tokenizer = try Self.model(fields.string("tokenizer") ?? "", scope)
        request.vocabularySize = try fields.integer("vocabularySize") ?? 0
        if let configuration = fields["configuration"] {
            request.configuration = configuration.stringValue ?? configuration.text()
        }
        request.parameters = try Self.parameters(fields)
        let (asked, client) = (request, scope.services.trainer)
        var losses = LossEnds()
        var result = try await scope.job(
            "trainer", .trainer(client), onMetrics: { losses.take($0["loss"]) }
        ) {
            try await client.unary(TrainerAPI.start, asked)
        }
        if let first = losses.first { result["firstLoss"] = .double(first) }
        if let last = losses.last { result["lastLoss"] = .double(last) }
        if result["model"]?.stringValue == nil { result["model"] = .string(asked.outputModel) }
        return result
    }

    /// A registered name stays as it is; `./…` and `../…` are paths from the working folder.
    static func model(_ name: String, _ scope: StepScope) throws -> String {
        name.hasPrefix("./") || name.hasPrefix("../") ? try scope.path(name) : name
    }

    private static func parameters(_ fields: StepFields) throws -> TrainingParameters {
        var parameters = TrainingParameters()
        parameters.objective = try fields.choice("objective") ?? .full
        parameters.mode = try fields.choice("mode") ?? .strict
        parameters.learningRate = try fields.number("learningRate")
        parameters.batchSize = try fields.integer("batchSize")
        parameters.gradientAccumulationSteps = try fields.integer("gradientAccumulationSteps")
        parameters.epochs = try fields.number("epochs")
        parameters.maximumSteps = try fields.integer("maximumSteps")
        parameters.warmupRatio = try fields.number("warmupRatio")
        parameters.weightDecay = try fields.number("weightDecay")
        parameters.scheduler = try fields.string("scheduler") ?? ""
        parameters.modelMaxLength = try fields.integer("modelMaxLength")
        parameters.saveSteps = try fields.integer("saveSteps")
        parameters.saveTotalLimit = try fields.integer("saveTotalLimit")
        parameters.loggingSteps = try fields.integer("loggingSteps")
        parameters.seed = try fields.integer("seed")
        parameters.gradientCheckpointing = try fields.bool("gradientCheckpointing")
        parameters.maximumGradientNorm = try fields.number("maximumGradientNorm")
        parameters.beta1 = try fields.number("beta1")
        parameters.beta2 = try fields.number("beta2")
        parameters.epsilon = try fields.number("epsilon")
        return parameters
    }
}

/// The mean loss of a run's first steps and that of its last ones: one step's is mostly chance.
private struct LossEnds {
    private var losses: [Double] = []

    private static let steps = 5

    mutating func take(_ loss: Double?) {
        if let loss { losses.append(loss) }
    }

    private var count: Int { max(1, min(Self.steps, losses.count / 2)) }
    var first: Double? { Self.mean(losses.prefix(count)) }
    var last: Double? { Self.mean(losses.suffix(count)) }

    private static func mean(_ values: ArraySlice<Double>) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}

/// Lets a judge compare two answer files.
struct JudgeStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = EvaluationRequest()
        request.key = scope.key
        request.questions = try fields.text("questions")
        request.answersFirst = try fields.text("answers")
        request.answersSecond = try fields.text("opponent")
        request.prompts = try fields.string("prompts") ?? ""
        request.reviewers = try fields.string("reviewers") ?? ""
        request.endpoint = try fields.endpoint("endpoint")
        request.bothOrders = try fields.bool("bothOrders") ?? true
        request.maximumTokens = try fields.integer("maximumTokens") ?? 0
        request.modelName = try fields.string("modelName") ?? ""
        request.opponentName = try fields.string("opponentName") ?? ""
        request.concurrency = try fields.integer("concurrency") ?? 0
        let (asked, client) = (request, scope.services.evaluator)
        let result = try await scope.job("evaluator", .evaluator(client)) {
            try await client.unary(EvaluatorAPI.start, asked)
        }
        guard let job = try await scope.startedJob() else { return result }
        let report = try await scope.calling("evaluator") {
            try await client.unary(EvaluatorAPI.report, JobReference.with { $0.id = job })
        }
        return result.merging(AggregateStep.told(report))
    }
}

/// Compares answers with the known ones.
struct MatchStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = MatchRequest()
        request.answers = try fields.text("answers")
        request.expected = try fields.text("expected")
        let asked = request
        let report = try await scope.calling("evaluator") {
            try await scope.services.evaluator.unary(EvaluatorAPI.match, asked)
        }
        return [
            "total": .int(report.total), "correct": .int(report.correct),
            "accuracy": .double(
                report.total == 0 ? 0 : Double(report.correct) / Double(report.total)),
            "accuracyByRevision": .array(report.accuracyByRevision.map { .double(Double($0)) }),
            "meanRevisions": .double(report.meanRevisions),
        ]
    }
}

/// Counts reviews made elsewhere.
struct AggregateStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = AggregateRequest()
        request.modelFirst = try fields.text("modelFirst")
        request.opponentFirst = try fields.string("opponentFirst") ?? ""
        request.questions = try fields.string("questions") ?? ""
        let asked = request
        return Self.told(
            try await scope.calling("evaluator") {
                try await scope.services.evaluator.unary(EvaluatorAPI.aggregate, asked)
            })
    }

    static func told(_ report: EvaluationReport) -> JSON {
        let categories = report.categories.sorted { $0.key < $1.key }
            .map { ($0.key, JSON.double($0.value)) }
        return [
            "pooled": .double(report.pooled), "modelFirst": .double(report.modelFirst),
            "opponentFirst": .double(report.opponentFirst), "win": .int(report.win),
            "tie": .int(report.tie), "loss": .int(report.loss), "flips": .int(report.flips),
            "reviews": .int(report.reviews), "failed": .int(report.failed),
            "categories": .object(JSONObject(categories)),
            "reviewsModelFirst": .string(report.reviewsModelFirst),
            "reviewsOpponentFirst": .string(report.reviewsOpponentFirst),
        ]
    }
}

extension StepScope {
    /// The job this step has started in another service.
    func startedJob() async throws -> String? {
        guard let bytes = try await context.state(StepRecord.stateName(step)) else { return nil }
        let job = try StepRecord(decoding: bytes).job
        return job.isEmpty ? nil : job
    }
}
