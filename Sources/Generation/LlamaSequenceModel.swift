public import Llama

/// A LLaMA model as the scheduler uses it.
public final class LlamaSequenceModel: SequenceModel {
    private final class Cache: SequenceCache {
        let cache: KVCache

        init(_ cache: KVCache) {
            self.cache = cache
        }

        var count: Int { cache.count }
        func truncate(to count: Int) { cache.truncate(to: count) }
    }

    private let model: LlamaModel
    private let workspace: DecodeWorkspace
    public let contextLength: Int

    public var vocabularySize: Int { model.configuration.vocabularySize }

    /// - Parameter contextLength: the longest sequence; nil for what the model was made for.
    public init(_ model: LlamaModel, contextLength: Int? = nil) {
        self.model = model
        self.contextLength = contextLength ?? model.configuration.maximumPositions
        workspace = model.makeWorkspace()
    }

    public func makeCache() -> any SequenceCache {
        Cache(model.makeCache(capacity: contextLength))
    }

    public func decode(_ steps: [SequenceStep]) throws -> [[Float]] {
        let steps = steps.map { step in
            guard let cache = step.cache as? Cache else {
                preconditionFailure("a cache of another model: \(type(of: step.cache))")
            }
            let wanted: DecodeStep.Wanted =
                switch step.wanted {
                case .last: .last
                case .all: .all
                case .none: .none
                }
            return DecodeStep(cache: cache.cache, tokens: step.tokens, wanted: wanted)
        }
        let result = try model.decode(steps, workspace: workspace)
        return result.rows.map { rows in
            rows.count == 1
                ? result.logits(row: rows.lowerBound) : rows.flatMap { result.logits(row: $0) }
        }
    }
}
