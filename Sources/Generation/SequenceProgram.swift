/// One sequence's course: it is given logits and says which tokens are fed next.
///
/// A program is a state machine without a thread: the scheduler calls `next` whenever the program
/// has nothing left to feed, feeds what it asks for (perhaps over several steps, beside other
/// sequences), and hands it the logits.
///
///     next → feed(prompt) → receive(logits) → next → feed([token]) → receive(logits) → … → finish
public protocol SequenceProgram: Sendable {
    /// What to feed next; called first with an empty cache.
    mutating func next(_ situation: SequenceSituation) -> SequenceCommand
    /// Logits that the last command wanted, in order; a long `.all` comes in parts.
    mutating func receive(_ logits: LogitRows)
}

/// Where a sequence stands.
public struct SequenceSituation: Sendable {
    /// Tokens in the cache.
    public var count: Int
    public var contextLength: Int
    public var vocabularySize: Int

    public init(count: Int, contextLength: Int, vocabularySize: Int) {
        self.count = count
        self.contextLength = contextLength
        self.vocabularySize = vocabularySize
    }
}

public enum SequenceCommand: Sendable, Equatable {
    /// Cuts the cache to its first `keeping` tokens (nil keeps all), then appends tokens.
    case feed([Int32], keeping: Int? = nil, wanted: WantedLogits = .last)
    case finish
    /// Ends the sequence because what it asks for cannot be done.
    case fail(GenerationError)
}

/// Some rows of logits.
public struct LogitRows: Sendable {
    public let values: [Float]
    /// Logits in a row.
    public let width: Int

    public init(values: [Float], width: Int) {
        precondition(width > 0 && values.count % width == 0, "\(values.count) in rows of \(width)")
        self.values = values
        self.width = width
    }

    public var count: Int { values.count / width }

    public func row(_ index: Int) -> ArraySlice<Float> {
        values[index * width..<(index + 1) * width]
    }

    /// The last row as an array of its own.
    public var last: [Float] {
        count == 1 ? values : Array(row(count - 1))
    }
}

/// Log-probabilities out of logits.
public enum LogProbability {
    /// The logarithm of the sum of exponentials, by which logits become log-probabilities.
    public static func normalizer(_ logits: ArraySlice<Float>) -> Float {
        var largest = -Float.infinity
        for value in logits where value > largest { largest = value }
        var sum = 0.0
        for value in logits { sum += Double(exponential(value - largest)) }
        return largest + Float(logarithm(sum))
    }

    /// The likeliest ids with their log-probabilities, best first; the lower id wins a tie.
    public static func top(
        _ count: Int, of logits: ArraySlice<Float>, normalizer: Float
    ) -> [(id: Int32, logProbability: Float)] {
        guard count > 0 else { return [] }
        var best: [(id: Int32, value: Float)] = []
        for (id, value) in logits.enumerated() {
            if best.count == count, let last = best.last, value <= last.value { continue }
            var place = best.count
            while place > 0, best[place - 1].value < value { place -= 1 }
            best.insert((Int32(id), value), at: place)
            if best.count > count { best.removeLast() }
        }
        return best.map { ($0.id, $0.value - normalizer) }
    }
}
