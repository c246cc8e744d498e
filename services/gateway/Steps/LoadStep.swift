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
            try await Replicas(scope.services).load(model)
        }
        return [
            "model": .string(names.first ?? model), "path": .string(model),
            "replicas": .int(names.count),
        ]
    }
}

/// The inference replicas one by one: loading a model is not balanced, it goes to all of them.
struct Replicas: Sendable {
    private let services: Services

    init(_ services: Services) {
        self.services = services
    }

    /// Loads a model everywhere; a replica that cannot be reached is passed over, as long as one can.
    ///
    /// - Returns: the name each replica that loaded it gives it.
    func load(_ model: String) async throws -> [String] {
        let request = LoadRequest.with { $0.model = model }
        let replicas = try await services.inferenceTarget.addresses()
        let outcomes = await withTaskGroup(of: Result<String, Status>.self) { group in
            for replica in replicas {
                group.addTask { await load(request, at: replica) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let loaded = outcomes.compactMap { try? $0.get() }
        let failures = outcomes.compactMap { outcome -> Status? in
            if case .failure(let status) = outcome { status } else { nil }
        }
        if loaded.isEmpty, let away = failures.first(where: Patience.isAway) { throw away }
        if let refusal = failures.first(where: { !Patience.isAway($0) }) { throw refusal }
        return loaded
    }

    private func load(
        _ request: LoadRequest, at replica: Target.Address
    ) async -> Result<String, Status> {
        do {
            let status = try await withClient(
                .addresses([replica.endpoint]), tls: services.tls, serverName: replica.name
            ) { client in
                try await client.unary(
                    InferenceAPI.load, request, options: CallOptions(deadline: .seconds(600)))
            }
            return .success(status.model)
        } catch {
            return .failure(Status(describing: error))
        }
    }
}
