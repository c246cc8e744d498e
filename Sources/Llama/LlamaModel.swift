public import FoundationEssentials
public import Tensors

/// A model ready to decode: weights laid out for products, read-only, shared freely.
///
/// Generation is built on four things:
///
///     let model = try LlamaModel(folder: folder, threads: 1)
///     let workspace = model.makeWorkspace()             // one per thread that decodes
///     let cache = model.makeCache(capacity: 2_048)      // one per sequence
///     let result = try model.decode(
///         [DecodeStep(cache: cache, tokens: prompt, wanted: .last)], workspace: workspace)
///     let next = result.logits.largestColumn(row: result.rows[0].lowerBound)
///
/// A call takes any number of sequences, each with one or more new tokens (a prompt, one sampled
/// token, a few drafted ones), appends them to their caches, and returns logits of the wanted
/// tokens. The logits of a token depend on its own sequence alone, bit for bit: not on the other
/// sequences of the call, on how a prompt was cut into calls, or on the number of threads.
/// `KVCache.truncate(to:)` takes tokens back; feeding them again gives the same bits.
///
/// `decode` computes on the calling thread and the model's own threads; one call at a time.
public final class LlamaModel: Sendable {
    public let configuration: LlamaConfiguration
    let compute: Compute
    let embedding: Tensor
    let finalNorm: Tensor
    let head: PackedMatrix
    let layers: [Layer]

    struct Layer: Sendable {
        let attention: PackedMatrix
        let output: PackedMatrix
        let gateUp: PackedMatrix
        let down: PackedMatrix
        let inputNorm: Tensor
        let outputNorm: Tensor
    }

    /// Reads a checkpoint folder in the Hugging Face layout.
    ///
    /// - Parameter threads: how many compute, the caller's included.
    public convenience init(
        folder: URL, threads: Int = 1,
        onRead: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(LlamaError) {
        self.init(try LlamaWeights(folder: folder, onRead: onRead), threads: threads)
    }

    /// Copies weights, which may change afterwards.
    public convenience init(_ weights: LlamaWeights, threads: Int = 1) {
        self.init(weights, compute: Compute(threads: threads))
    }

    package init(_ weights: LlamaWeights, compute: Compute) {
        configuration = weights.configuration
        self.compute = compute
        embedding = weights.embedding.copied()
        finalNorm = weights.finalNorm.copied()
        head = compute.packed(weights.head)
        layers = weights.layers.map {
            Layer(
                attention: compute.packed($0.attention), output: compute.packed($0.output),
                gateUp: compute.packed($0.gateUp), down: compute.packed($0.down),
                inputNorm: $0.inputNorm.copied(), outputNorm: $0.outputNorm.copied())
        }
    }

    /// An empty cache for one sequence of at most `capacity` tokens.
    public func makeCache(capacity: Int) -> KVCache {
        KVCache(configuration: configuration, capacity: capacity)
    }

    /// Memory for ``decode(_:workspace:)``, kept between calls.
    ///
    /// - Parameter maximumRows: tokens computed at once; longer calls are cut, with equal results.
    public func makeWorkspace(maximumRows: Int = 256) -> DecodeWorkspace {
        DecodeWorkspace(configuration, maximumRows: maximumRows)
    }
}

/// New tokens of one sequence.
public struct DecodeStep {
    public enum Wanted: Sendable {
        /// Logits after the last token.
        case last
        /// Logits after every token.
        case all
        /// None: the tokens only enter the cache.
        case none
    }

    public let cache: KVCache
    public let tokens: [Int32]
    public let wanted: Wanted

    public init(cache: KVCache, tokens: [Int32], wanted: Wanted = .last) {
        self.cache = cache
        self.tokens = tokens
        self.wanted = wanted
    }

    var wantedCount: Int {
        switch wanted {
        case .last: tokens.isEmpty ? 0 : 1
        case .all: tokens.count
        case .none: 0
        }
    }
}

/// Logits of one call.
public struct DecodeResult {
    /// `(wanted tokens, vocabulary)`, in the order of steps and tokens. The workspace owns the
    /// memory: the next call overwrites it.
    public let logits: Tensor
    /// For each step, which rows are its own.
    public let rows: [Range<Int>]

    /// A copy of one row.
    public func logits(row: Int) -> [Float] {
        logits.row(row)
    }
}
