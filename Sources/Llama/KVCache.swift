internal import Tensors

/// What a model remembers of one sequence: the keys and values of every layer.
///
/// A cache belongs to one sequence, is written by ``LlamaModel/decode(_:workspace:)`` and cut by
/// ``truncate(to:)``. Memory is taken as positions are written.
public final class KVCache {
    /// Tokens it holds.
    public private(set) var count = 0
    /// Tokens it has room for.
    public let capacity: Int
    let layers: [LayerCache]

    init(configuration: LlamaConfiguration, capacity: Int) {
        self.capacity = capacity
        layers = (0..<configuration.layers).map { _ in
            LayerCache(shape: configuration.attention, capacity: capacity)
        }
    }

    /// Forgets all but the first `count` tokens: the next one decoded gets position `count`.
    public func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "\(count) of \(self.count) tokens")
        self.count = count
    }

    /// Holds the first `count` tokens of `other` instead of its own: a shared beginning.
    public func copyPrefix(_ count: Int, of other: KVCache) {
        precondition(count >= 0 && count <= other.count, "\(count) of \(other.count) tokens")
        precondition(count <= capacity, "\(count) tokens into \(capacity)")
        for (mine, theirs) in zip(layers, other.layers) {
            mine.copyPositions(count, from: theirs)
        }
        self.count = count
    }

    func advance(by tokens: Int) {
        count += tokens
    }
}
