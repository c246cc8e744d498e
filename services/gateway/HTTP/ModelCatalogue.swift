package import RPC
package import Schema
import ServiceKit
import Synchronization

/// Which model inference serves: asked for at most once a second.
package final class ModelCatalogue: Sendable {
    private struct Known {
        var status: InferenceStatus
        var at: ContinuousClock.Instant
    }

    private let inference: Client
    private let known = Mutex<Known?>(nil)

    private static let freshness = Duration.seconds(1)
    private static let patience = Duration.seconds(5)

    package init(_ inference: Client) {
        self.inference = inference
    }

    /// What a replica says of itself.
    package func status() async throws -> InferenceStatus {
        let now = ContinuousClock.now
        if let known = known.withLock({ $0 }), now - known.at < Self.freshness {
            return known.status
        }
        let status = try await inference.unary(
            InferenceAPI.status, Empty(), options: CallOptions(deadline: Self.patience))
        known.withLock { $0 = Known(status: status, at: now) }
        return status
    }

    /// The name of the model that will answer; throws if it is not the one asked for.
    package func model(for name: String) async throws -> String {
        let status = try await status()
        guard status.ready else {
            throw OpenAIError(
                Status(.failedPrecondition, "No model is loaded yet; load one, or try again."))
        }
        if name == ChatRequest.anyModel || name == status.model { return status.model }
        throw OpenAIError.noModel(name)
    }
}
