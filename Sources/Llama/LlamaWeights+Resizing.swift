internal import Tensors

extension LlamaWeights {
    /// The same numbers under a configuration of the same shape, such as one with other special
    /// tokens; the memory is shared.
    public func configured(_ configuration: LlamaConfiguration) -> LlamaWeights {
        precondition(
            ParameterLayout(configuration).entries == layout.entries,
            "the configuration describes another shape")
        return LlamaWeights(configuration, sharing: self)
    }

    /// The same model with more tokens: each new row of embedding and head is the mean of that
    /// matrix's old rows.
    ///
    /// - Parameter vocabulary: at least the present one.
    public func resized(vocabulary: Int) -> LlamaWeights {
        precondition(
            vocabulary >= configuration.vocabularySize,
            "\(vocabulary) tokens are fewer than \(configuration.vocabularySize)")
        var configuration = configuration
        configuration.vocabularySize = vocabulary
        let resized = LlamaWeights(zeros: configuration)
        for (old, new) in zip(tensors, resized.tensors) {
            new.slice(rows: 0..<old.rows).copy(from: old)
            guard new.rows > old.rows else { continue }
            let mean = old.meanRow()
            for row in old.rows..<new.rows {
                new.slice(rows: row..<row + 1).copy(from: mean)
            }
        }
        return resized
    }
}
