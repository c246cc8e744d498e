/// What generation needs of a model: caches that grow by tokens and can be cut back.
///
/// It is used by one thread at a time and need not be sendable: the scheduler makes it where it
/// runs. A token's logits depend on its own sequence alone, never on the other steps of a call.
public protocol SequenceModel: AnyObject {
    var vocabularySize: Int { get }
    /// The longest sequence.
    var contextLength: Int { get }

    func makeCache() -> any SequenceCache

    /// Appends each step's tokens to its cache.
    ///
    /// - Returns: for each step the wanted rows of logits, `(rows, vocabularySize)` flat.
    func decode(_ steps: [SequenceStep]) throws -> [[Float]]
}

/// What a model remembers of one sequence.
public protocol SequenceCache: AnyObject {
    var count: Int { get }
    func truncate(to count: Int)
}

/// New tokens of one sequence.
public struct SequenceStep {
    public let cache: any SequenceCache
    public let tokens: [Int32]
    public let wanted: WantedLogits

    public init(cache: any SequenceCache, tokens: [Int32], wanted: WantedLogits) {
        self.cache = cache
        self.tokens = tokens
        self.wanted = wanted
    }
}

/// After which tokens of a step logits are wanted.
public enum WantedLogits: Sendable {
    case last, all, none
}
