public import FoundationEssentials
public import Llama
internal import Tensors

/// A tuned model published as its difference from a base that may not be.
///
/// Where the tuned model has more tokens (a pad token was added), the base first gets as many
/// rows, each the mean of its own, in embedding and head.
public enum WeightDifference {
    /// Writes tuned − base.
    ///
    /// - Parameter onRead: told how many tensors are read, and of how many.
    public static func make(
        base: URL, tuned: URL, to folder: URL, _ options: LlamaWeights.SaveOptions = .init(),
        onRead: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let result = try combine(base, with: tuned, signOfBase: -1, onRead)
        try result.save(to: folder, options)
    }

    /// Writes base + difference: the tuned model.
    public static func apply(
        base: URL, difference: URL, to folder: URL, _ options: LlamaWeights.SaveOptions = .init(),
        onRead: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let result = try combine(base, with: difference, signOfBase: 1, onRead)
        try result.save(to: folder, options)
    }

    /// other ± base, in float32, tensor by tensor in the memory of the base.
    private static func combine(
        _ base: URL, with other: URL, signOfBase: Float, _ onRead: (Int, Int) -> Void
    ) throws -> LlamaWeights {
        let base = try LlamaWeights(folder: base) { onRead($0, 2 * $1) }
        let configuration = try LlamaConfiguration(folder: other)
        let checkpoint = try Checkpoint(folder: other)
        let rows = base.configuration.vocabularySize
        guard configuration.vocabularySize >= rows else {
            throw TrainingError.difference(
                name: "vocabulary",
                problem: "\(configuration.vocabularySize) tokens over a base of \(rows)")
        }
        let resized = base.resized(vocabulary: configuration.vocabularySize)
        let result = LlamaWeights(zeros: configuration)
        guard resized.layout.entries == result.layout.entries else {
            throw TrainingError.difference(
                name: "config.json", problem: "describes another shape of model than the base's")
        }
        let compute = Compute()
        for (index, entry) in result.layout.entries.enumerated() {
            let tensor = result.tensors[index]
            try checkpoint.read(entry.name, shape: entry.shape, into: tensor)
            compute.add(resized.tensors[index], to: tensor, factor: signOfBase)
            let count = result.layout.entries.count
            onRead(count + index + 1, 2 * count)
        }
        return result
    }
}
