import RPC
import Schema

/// Which models the replicas serve.
package struct ModelCatalogue: Sendable {
    private let replicas: ReplicaSet

    package init(_ replicas: ReplicaSet) {
        self.replicas = replicas
    }

    /// The names of the models that can answer, the one loaded last first.
    package func models() async throws -> [String] {
        let known = await replicas.known()
        guard known.contains(where: { $0.status != nil }) else {
            throw known.compactMap(\.failure).first
                ?? Status(.unavailable, "No inference replica can be reached; try again.")
        }
        let wanted = replicas.wanted
        let names = Set(known.compactMap(\.status).filter(\.ready).map(\.model))
        return names.sorted { $0 == wanted || ($1 != wanted && $0 < $1) }
    }

    /// The name of the model that will answer; throws if it is not the one asked for.
    package func model(for name: String) async throws -> String {
        let models = try await models()
        guard let first = models.first else {
            throw OpenAIError(
                Status(.failedPrecondition, "No model is loaded yet; load one, or try again."))
        }
        if ChatRequest.anyModel.contains(name) { return first }
        guard models.contains(name) else { throw OpenAIError.noModel(name) }
        return name
    }
}
