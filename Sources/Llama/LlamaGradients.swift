public import Tensors

/// One sequence to learn from.
public struct TrainingSequence: Sendable, Equatable {
    public var ids: [Int32]
    /// As many as ids, unshifted: position t is scored by the prediction made at t - 1.
    /// Negative ones (-100) are not scored.
    public var labels: [Int32]

    public init(ids: [Int32], labels: [Int32]) {
        precondition(ids.count == labels.count, "\(ids.count) ids, \(labels.count) labels")
        self.ids = ids
        self.labels = labels
    }

    /// Positions whose prediction counts: the label after them is not masked.
    public var scoredCount: Int { labels.dropFirst().count { $0 >= 0 } }
}

/// Forward and backward through a model, layer by layer, without a tape.
///
/// Sequences lie one after the other without padding, and only scored positions reach the head.
/// Gradients are added up in the order of tokens, whatever the threads.
///
/// Memory of one pass: for each token and layer `6 d + 2 f` floats where nothing is recomputed,
/// `d` where it is (`d` columns of the stream, `f` inside the feed-forward part).
public final class LlamaGradients {
    public let weights: LlamaWeights
    /// The same form as the weights; ``addGradients(of:scale:)`` adds to it.
    public let gradients: LlamaWeights
    let compute: Compute
    let recomputes: Bool
    let packed: PackedLayer
    let packedHead: PackedMatrix
    private(set) var memory: GradientWorkspace

    /// - Parameters:
    ///   - weights: may change between calls, but not during one.
    ///   - recomputes: whether activations are computed again on the way back instead of kept.
    public init(_ weights: LlamaWeights, compute: Compute, recomputes: Bool = false) {
        let configuration = weights.configuration
        self.weights = weights
        self.compute = compute
        self.recomputes = recomputes
        gradients = LlamaWeights(zeros: configuration)
        packed = PackedLayer(configuration)
        packedHead = PackedMatrix(
            inputs: configuration.dimension, outputs: configuration.vocabularySize)
        memory = GradientWorkspace(configuration, rows: 0, recomputes: recomputes)
    }

    /// Adds the gradients of `scale` times the summed loss of all scored positions.
    ///
    /// - Returns: the summed loss, unscaled.
    public func addGradients(
        of sequences: [TrainingSequence], scale: Float
    ) throws(LlamaError) -> Double {
        let batch = try PackedBatch(sequences, vocabulary: weights.configuration.vocabularySize)
        guard batch.rows > 0 else { return 0 }
        let memory = memory(rows: batch.rows, positions: batch.longest)
        forward(batch, memory)
        let loss = head(batch, memory, scale: scale, backward: true)
        backward(batch, memory)
        return loss
    }

    /// The summed loss of all scored positions.
    public func loss(of sequences: [TrainingSequence]) throws(LlamaError) -> Double {
        let batch = try PackedBatch(sequences, vocabulary: weights.configuration.vocabularySize)
        guard batch.rows > 0 else { return 0 }
        let memory = memory(rows: batch.rows, positions: batch.longest)
        forward(batch, memory)
        return head(batch, memory, scale: 0, backward: false)
    }

    /// The stream that entered a layer in the last call.
    package func input(ofLayer layer: Int) -> Tensor {
        memory.inputs[layer]
    }

    private func memory(rows: Int, positions: Int) -> GradientWorkspace.Rows {
        if memory.rows < rows {
            // The old memory goes before the new comes.
            memory = GradientWorkspace(weights.configuration, rows: 0, recomputes: recomputes)
            memory = GradientWorkspace(
                weights.configuration, rows: rows, recomputes: recomputes)
        }
        return memory.slice(rows: rows, positions: positions)
    }
}

/// Sequences one below the other.
struct PackedBatch {
    let ids: [Int32]
    let positions: [Int32]
    let sequences: [Range<Int>]
    /// Rows whose prediction is scored, and what it should be.
    let scored: [Int32]
    let targets: [Int32]
    let longest: Int

    var rows: Int { ids.count }

    init(_ batch: [TrainingSequence], vocabulary: Int) throws(LlamaError) {
        var ids: [Int32] = []
        var positions: [Int32] = []
        var sequences: [Range<Int>] = []
        var scored: [Int32] = []
        var targets: [Int32] = []
        for sequence in batch where !sequence.ids.isEmpty {
            let start = ids.count
            for token in sequence.ids where token < 0 || Int(token) >= vocabulary {
                throw .token(token, vocabulary: vocabulary)
            }
            for label in sequence.labels where Int(label) >= vocabulary {
                throw .token(label, vocabulary: vocabulary)
            }
            ids += sequence.ids
            positions += (0..<sequence.ids.count).map(Int32.init)
            sequences.append(start..<ids.count)
            for (index, label) in sequence.labels.enumerated().dropFirst() where label >= 0 {
                scored.append(Int32(start + index - 1))
                targets.append(label)
            }
        }
        self.ids = ids
        self.positions = positions
        self.sequences = sequences
        self.scored = scored
        self.targets = targets
        longest = sequences.map(\.count).max() ?? 0
    }
}

/// One layer's matrices laid out for products; every layer in turn uses it.
struct PackedLayer {
    let attention: PackedMatrix
    let output: PackedMatrix
    let gateUp: PackedMatrix
    let down: PackedMatrix

    init(_ c: LlamaConfiguration) {
        let shape = c.attention
        attention = PackedMatrix(inputs: c.dimension, outputs: shape.fusedColumns)
        output = PackedMatrix(inputs: shape.queryColumns, outputs: c.dimension)
        gateUp = PackedMatrix(inputs: c.dimension, outputs: 2 * c.intermediateDimension)
        down = PackedMatrix(inputs: c.intermediateDimension, outputs: c.dimension)
    }
}
