/// Shapes that speed is measured with.
public enum BenchmarkModel: String, Sendable, CaseIterable {
    /// What `hone demo` trains.
    case demo
    /// 0.8 million parameters, few tokens in the vocabulary.
    case drill = "0.8M"
    case fifteenMillion = "15M"
    case hundredTenMillion = "110M"

    public var configuration: LlamaConfiguration {
        switch self {
        case .demo:
            LlamaConfiguration(
                vocabularySize: 512, dimension: 128, intermediateDimension: 352, layers: 4,
                queryHeads: 4, maximumPositions: 512)
        case .drill:
            LlamaConfiguration(
                vocabularySize: 200, dimension: 128, intermediateDimension: 352, layers: 4,
                queryHeads: 4, maximumPositions: 512, tiesEmbeddings: true)
        case .fifteenMillion:
            LlamaConfiguration(
                vocabularySize: 32_000, dimension: 288, intermediateDimension: 768, layers: 6,
                queryHeads: 6, tiesEmbeddings: true)
        case .hundredTenMillion:
            LlamaConfiguration(
                vocabularySize: 32_000, dimension: 768, intermediateDimension: 2_048, layers: 12,
                queryHeads: 12, tiesEmbeddings: true)
        }
    }
}
