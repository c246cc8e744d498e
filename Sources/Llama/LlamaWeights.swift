public import FoundationEssentials
public import Tensors

/// Every parameter of a model as rows in one block of memory, so that an optimiser sees one array.
///
/// Queries, keys and values lie one below the other, and so do gate and up: each group is also
/// one matrix. Gradients and moments have the same form.
public struct LlamaWeights: Sendable {
    public let configuration: LlamaConfiguration
    public let layout: ParameterLayout
    /// All numbers as one row; a few between parameters are never used and stay zero.
    public let all: Tensor
    /// In the order of the layout.
    public let tensors: [Tensor]
    let layers: [Layer]

    struct Layer: Sendable {
        /// Queries, keys, values.
        let attention: Tensor
        let output: Tensor
        let gateUp: Tensor
        let down: Tensor
        let inputNorm: Tensor
        let outputNorm: Tensor
    }

    /// Of a new model's matrices.
    public static let initialDeviation = 0.02

    /// Zeros.
    public init(zeros configuration: LlamaConfiguration) {
        self.configuration = configuration
        let layout = ParameterLayout(configuration)
        self.layout = layout
        let attention = configuration.attention
        let d = configuration.dimension
        let f = configuration.intermediateDimension
        let vocabulary = configuration.vocabularySize
        let perLayer = [
            attention.fusedColumns * d, d * attention.queryColumns, 2 * f * d, d * f, d, d,
        ]
        var sizes = [vocabulary * d]
        for _ in 0..<configuration.layers { sizes += perLayer }
        sizes += [d] + (configuration.tiesEmbeddings ? [] : [vocabulary * d])
        var pool = TensorPool(sizes: sizes)
        all = pool.all
        var tensors = [pool.next(rows: vocabulary, columns: d)]
        var layers: [Layer] = []
        for _ in 0..<configuration.layers {
            let layer = Layer(
                attention: pool.next(rows: attention.fusedColumns, columns: d),
                output: pool.next(rows: d, columns: attention.queryColumns),
                gateUp: pool.next(rows: 2 * f, columns: d), down: pool.next(rows: d, columns: f),
                inputNorm: pool.next(rows: 1, columns: d),
                outputNorm: pool.next(rows: 1, columns: d))
            layers.append(layer)
            tensors += layer.parts(attention, f)
        }
        tensors.append(pool.next(rows: 1, columns: d))
        if !configuration.tiesEmbeddings {
            tensors.append(pool.next(rows: vocabulary, columns: d))
        }
        self.tensors = tensors
        self.layers = layers
    }

    /// The numbers of other weights, of the same shape.
    init(_ configuration: LlamaConfiguration, sharing other: LlamaWeights) {
        self.configuration = configuration
        layout = other.layout
        all = other.all
        tensors = other.tensors
        layers = other.layers
    }

    /// A new model: gains 1, matrices normal with the given deviation, the same for the same seed.
    public init(
        random configuration: LlamaConfiguration, seed: UInt64,
        deviation: Double = LlamaWeights.initialDeviation
    ) {
        self.init(zeros: configuration)
        var source = RandomSource(seed: seed)
        for (entry, tensor) in zip(layout.entries, tensors) {
            if entry.isMatrix {
                tensor.fillNormal(deviation: deviation, from: &source)
            } else {
                tensor.fill(1)
            }
        }
    }

    /// Reads a checkpoint folder.
    ///
    /// - Parameter onRead: told after each tensor how many are read, and of how many.
    public init(
        folder: URL, onRead: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(LlamaError) {
        let configuration = try LlamaConfiguration(folder: folder)
        let checkpoint = try Checkpoint(folder: folder)
        self.init(zeros: configuration)
        for (index, entry) in layout.entries.enumerated() {
            try checkpoint.read(entry.name, shape: entry.shape, into: tensors[index])
            onRead(index + 1, layout.entries.count)
        }
    }

    /// A parameter by its Hugging Face name.
    public subscript(name: String) -> Tensor? {
        layout.entries.firstIndex { $0.name == name }.map { tensors[$0] }
    }

    var embedding: Tensor { tensors[0] }
    var finalNorm: Tensor {
        tensors[1 + configuration.layers * ParameterLayout.Part.allCases.count]
    }
    /// The embedding where the head is tied to it.
    var head: Tensor { configuration.tiesEmbeddings ? tensors[0] : tensors[tensors.count - 1] }
}

extension LlamaWeights.Layer {
    /// In the order of `ParameterLayout.Part`.
    fileprivate func parts(_ shape: AttentionShape, _ f: Int) -> [Tensor] {
        let q = shape.queryColumns
        let k = shape.keyValueColumns
        return [
            attention.slice(rows: 0..<q), attention.slice(rows: q..<q + k),
            attention.slice(rows: q + k..<q + 2 * k), output,
            gateUp.slice(rows: 0..<f), gateUp.slice(rows: f..<2 * f), down, inputNorm, outputNorm,
        ]
    }
}
