import Corpus
import RPC
import Schema
import ServiceKit
import Wire

/// Lets every inference replica load a model.
struct LoadStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        let model = try TrainStep.model(try fields.text("model"), scope)
        let names = try await scope.calling("inference") {
            try await scope.services.inference.load(model)
        }
        return [
            "model": .string(names.first ?? model), "path": .string(model),
            "replicas": .int(names.count),
        ]
    }
}
