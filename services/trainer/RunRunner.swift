import Corpus
import FoundationEssentials
import Jobs
import Schema
import ServiceKit
import Wire

/// Carries out training jobs: fetches data and model, trains, registers the result.
///
/// What a killed process had done is in the run's folder: the job goes on from its newest checkpoint.
struct RunRunner: JobRunner {
    let settings: ServiceSettings
    let data: DataStore
    let requests: CheckpointRequests

    func run(_ context: JobContext) async throws -> String {
        let request = try TrainingRequest(decoding: context.job.input)
        let id = context.job.id
        context.log("fetching the data")
        let lines = try await data.export(request.dataset, as: .selfeeLines)
        let chains = try Self.chains(lines, dataset: request.dataset.name)
        let model = try await modelFolder(request.baseModel)
        let run = TrainingRun(
            settings: try RunSettings(request, model: model),
            folder: try RunFolder(settings.path("runs/\(id)")), name: request.outputModel)
        let listener = listener(context)
        requests.begin(id)
        defer { requests.end(id) }
        let outcome = try await withTaskExecutorPreference(ComputeThread()) {
            try run(chains: chains, listener)
        }
        context.log("registering the model \(request.outputModel)")
        let record = try await data.publishModel(
            folder: run.folder.path, name: request.outputModel, parent: request.baseModel,
            notes: [
                "run": id, "dataset": request.dataset.name, "steps": "\(outcome.steps)",
                "loss": "\(outcome.loss)",
            ])
        var result = outcome.members(output: run.folder.path)
        result["model"] = .string(record.name)
        return JSON.object(result).text()
    }

    private func listener(_ context: JobContext) -> TrainingRun.Listener {
        let id = context.job.id
        let requests = requests
        var listener = TrainingRun.Listener()
        listener.began = { beginning in
            context.progress(beginning.doneSteps, of: beginning.totalSteps, beginning.text)
        }
        listener.step = { record, total in
            let loss = (record.loss * 10_000).rounded() / 10_000
            context.progress(record.step, of: total, "loss \(loss)")
            if record.step % max(1, total / 200) == 0 || record.step == total {
                context.metrics([
                    "step": Double(record.step), "loss": record.loss,
                    "learning_rate": record.learningRate, "grad_norm": record.gradientNorm,
                    "tokens_per_second": record.tokensPerSecond,
                ])
            }
        }
        listener.isCancelled = { Task.isCancelled }
        listener.wantsCheckpoint = { requests.isWanted(id) }
        listener.saved = { step, path in requests.saved(id, .init(step: step, path: path)) }
        return listener
    }

    /// The folder of a base model: a path of this machine, or a name in the registry.
    private func modelFolder(_ name: String) async throws -> String {
        if name.isEmpty { return "" }
        if FileManager.default.fileExists(atPath: name + "/config.json") { return name }
        return try await data.fetchModel(name, cache: settings.path("models"))
    }

    private static func chains(_ lines: [UInt8], dataset: String) throws -> [Chain] {
        var chains: [Chain] = []
        for (index, line) in lines.split(separator: UInt8(ascii: "\n")).enumerated() {
            do {
                chains.append(try Chain(try JSON(parsing: Array(line)), line: index + 1))
            } catch {
                throw TrainerError.badChain(path: dataset, line: index + 1, reason: "\(error)")
            }
        }
        guard !chains.isEmpty else { throw TrainerError.noData(path: dataset) }
        return chains
    }
}

extension RunSettings {
    /// - Parameter model: the base model's folder; empty starts from nothing.
    init(_ request: TrainingRequest, model: String) throws {
        let parameters = request.parameters
        baseModel = model.isEmpty ? nil : model
        configuration = request.configuration
        tokenizer = request.tokenizer
        if request.vocabularySize > 0 { vocabularySize = request.vocabularySize }
        objective = parameters.objective == .answerOnly ? "answer-only" : "full"
        mode = parameters.mode == .selfee ? "selfee" : "strict"
        if let value = parameters.learningRate { learningRate = value }
        if let value = parameters.batchSize { batchSize = value }
        if let value = parameters.gradientAccumulationSteps { gradientAccumulationSteps = value }
        if let value = parameters.epochs { epochs = value }
        if let value = parameters.maximumSteps { maximumSteps = value }
        if let value = parameters.warmupRatio { warmupRatio = value }
        if let value = parameters.weightDecay { weightDecay = value }
        if !parameters.scheduler.isEmpty { scheduler = parameters.scheduler }
        if let value = parameters.modelMaxLength { modelMaxLength = value }
        if let value = parameters.saveSteps { saveSteps = value }
        if let value = parameters.saveTotalLimit { saveTotalLimit = value }
        if let value = parameters.loggingSteps { loggingSteps = value }
        if let value = parameters.seed { seed = UInt64(value) }
        if let value = parameters.gradientCheckpointing { gradientCheckpointing = value }
        if let value = parameters.maximumGradientNorm { maximumGradientNorm = value }
        if let value = parameters.beta1 { beta1 = value }
        if let value = parameters.beta2 { beta2 = value }
        if let value = parameters.epsilon { epsilon = value }
    }
}

extension TrainingRun.Outcome {
    func members(output: String) -> JSONObject {
        [
            "output": .string(output), "steps": .int(steps), "loss": .double(loss),
            "tokens": .int(tokens), "seconds": .double((seconds * 1000).rounded() / 1000),
            "tokensPerSecond": .double(seconds > 0 ? (Double(tokens) / seconds).rounded() : 0),
            "sequences": .int(sequences), "truncated": .int(truncated),
            "unscored": .int(unscored),
        ]
    }

    func json(output: String) -> JSON { .object(members(output: output)) }
}
