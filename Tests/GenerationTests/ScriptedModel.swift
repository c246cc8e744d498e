import Generation
import Synchronization

/// A model whose logits are a function of the tokens in the cache: what the cache holds decides,
/// so a cache out of step shows in the next token.
final class ScriptedModel: SequenceModel {
    final class Cache: SequenceCache {
        var tokens: [Int32] = []
        var count: Int { tokens.count }
        func truncate(to count: Int) { tokens.removeLast(tokens.count - count) }
    }

    let vocabularySize: Int
    let contextLength: Int
    private let logits: ([Int32]) -> [Float]
    private let onStep: ([SequenceStep]) -> Void

    init(
        vocabularySize: Int, contextLength: Int = 1000,
        onStep: @escaping ([SequenceStep]) -> Void = { _ in },
        logits: @escaping ([Int32]) -> [Float]
    ) {
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.logits = logits
        self.onStep = onStep
    }

    func makeCache() -> any SequenceCache { Cache() }

    func decode(_ steps: [SequenceStep]) throws -> [[Float]] {
        onStep(steps)
        return try steps.map { step in
            guard let cache = step.cache as? Cache else { throw Foreign() }
            var rows: [Float] = []
            for (index, token) in step.tokens.enumerated() {
                cache.tokens.append(token)
                let isWanted =
                    switch step.wanted {
                    case .all: true
                    case .last: index + 1 == step.tokens.count
                    case .none: false
                    }
                if isWanted { rows += logits(cache.tokens) }
            }
            return rows
        }
    }

    struct Foreign: Error {}
}

/// A model that continues every sequence by a hash of all it has read.
func hashingModel(vocabularySize: Int = 40, contextLength: Int = 1000) -> ScriptedModel {
    ScriptedModel(vocabularySize: vocabularySize, contextLength: contextLength) { tokens in
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for token in tokens { hash = (hash ^ UInt64(bitPattern: Int64(token))) &* 0x100_0000_01B3 }
        return (0..<vocabularySize).map { index in
            var mixed = hash &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            return Float(mixed >> 40) / Float(1 << 24) * 6
        }
    }
}

/// Runs a scheduler beside a body and ends it with the body.
func withScheduler<Result: Sendable>(
    _ scheduler: Scheduler, _ model: @escaping @Sendable () throws -> any SequenceModel,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            do {
                try await scheduler.run(model)
            } catch is CancellationError {
                return nil
            }
            return nil
        }
        group.addTask { try await body() }
        defer { group.cancelAll() }
        while let result = try await group.next() {
            if let result { return result }
        }
        throw CancellationError()
    }
}

/// A program that asks for nothing but to be fed, until it is cancelled.
struct EndlessProgram: SequenceProgram {
    var onStep: @Sendable () -> Void = {}
    var hasBegun = false

    mutating func next(_ situation: SequenceSituation) -> SequenceCommand {
        onStep()
        if situation.count + 1 > situation.contextLength { return .feed([1], keeping: 1) }
        return .feed([1])
    }

    mutating func receive(_ logits: LogitRows) {}
}
