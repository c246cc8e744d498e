/// How tokens are drawn.
public struct Sampling: Sendable, Equatable {
    /// Below 1e-4 the likeliest token is taken each time.
    public var temperature: Double
    /// Only the likeliest tokens that together have this probability; 1 for all.
    public var topP: Double
    /// Only so many of the likeliest tokens; 0 for all.
    public var topK: Int
    /// Taken off the logit of every token that was generated before.
    public var presencePenalty: Double
    /// Taken off the logit once for each time a token was generated before.
    public var frequencyPenalty: Double
    /// Equal seeds draw equal tokens; nil draws anew each time.
    public var seed: UInt64?

    public static let greedy = Sampling(temperature: 0)

    public init(
        temperature: Double = 0.7, topP: Double = 1, topK: Int = 0, presencePenalty: Double = 0,
        frequencyPenalty: Double = 0, seed: UInt64? = nil
    ) {
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.presencePenalty = presencePenalty
        self.frequencyPenalty = frequencyPenalty
        self.seed = seed
    }

    /// Throws unless every value lies in the range the OpenAI protocol gives it.
    public func check() throws(GenerationError) {
        func demand(
            _ holds: Bool, _ name: String, _ value: Double, _ expected: String
        ) throws(GenerationError) {
            guard holds else {
                throw .badSetting(name: name, value: "\(value)", expected: expected)
            }
        }
        try demand((0...2).contains(temperature), "temperature", temperature, "from 0 to 2")
        try demand(topP > 0 && topP <= 1, "top_p", topP, "above 0, at most 1")
        try demand(topK >= 0, "top_k", Double(topK), "0 or more")
        try demand(
            (-2...2).contains(presencePenalty), "presence_penalty", presencePenalty, "from -2 to 2")
        try demand(
            (-2...2).contains(frequencyPenalty), "frequency_penalty", frequencyPenalty,
            "from -2 to 2")
    }
}

/// Draws tokens from logits; its whole state is a seed and what it has drawn.
public struct Sampler: Sendable {
    private let sampling: Sampling
    private var random: SeededGenerator
    private var drawn: [Int32: Int] = [:]

    /// Temperatures below this are taken for zero, as the SelFee original does.
    public static let smallestTemperature = 1e-4

    public init(_ sampling: Sampling) {
        self.sampling = sampling
        random = SeededGenerator(state: sampling.seed ?? UInt64.random(in: 0...UInt64.max))
    }

    /// The next token, by the settings.
    public mutating func draw(_ logits: [Float]) -> Int32 {
        let logits = penalized(logits)
        let id =
            sampling.temperature < Self.smallestTemperature
            ? Self.likeliest(logits) : sample(logits)
        drawn[id, default: 0] += 1
        return id
    }

    /// The index of the largest logit, the lowest of equals.
    public static func likeliest(_ logits: [Float]) -> Int32 {
        var best = 0
        for index in logits.indices where logits[index] > logits[best] { best = index }
        return Int32(best)
    }

    private func penalized(_ logits: [Float]) -> [Float] {
        guard sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0 else { return logits }
        var logits = logits
        for (id, count) in drawn where Int(id) < logits.count {
            logits[Int(id)] -= Float(
                sampling.presencePenalty + Double(count) * sampling.frequencyPenalty)
        }
        return logits
    }

    private mutating func sample(_ logits: [Float]) -> Int32 {
        let largest = logits[Int(Self.likeliest(logits))]
        let scale = Float(1 / sampling.temperature)
        let weights = logits.map { exponential(($0 - largest) * scale) }
        let isLimited = sampling.topP < 1 || sampling.topK > 0 && sampling.topK < logits.count
        guard isLimited else {
            return pick(weights.indices.lazy.map { (Int32($0), weights[$0]) }, weights.sum)
        }
        let kept = likeliest(weights)
        return pick(kept, kept.reduce(0) { $0 + Double($1.weight) })
    }

    /// The tokens that top-k and top-p leave, likeliest first.
    private func likeliest(_ weights: [Float]) -> [(id: Int32, weight: Float)] {
        let total = weights.sum
        let limit = sampling.topK > 0 ? min(sampling.topK, weights.count) : weights.count
        // Sorting all of a large vocabulary is slow, and its tail is rarely reached.
        for floor: Float in [1e-3, 1e-6, -1] {
            var kept: [(id: Int32, weight: Float)] = []
            for (id, weight) in weights.enumerated() where weight > floor {
                kept.append((Int32(id), weight))
            }
            kept.sort { $0.weight == $1.weight ? $0.id < $1.id : $0.weight > $1.weight }
            var mass = 0.0
            for (place, candidate) in kept.enumerated() {
                mass += Double(candidate.weight)
                if place + 1 == limit || mass >= sampling.topP * total {
                    return Array(kept.prefix(place + 1))
                }
            }
            if kept.count == weights.count { return kept }
        }
        return [(0, 1)]
    }

    private mutating func pick(
        _ candidates: some Sequence<(id: Int32, weight: Float)>, _ total: Double
    ) -> Int32 {
        var rest = Double(random.next() >> 11) * 0x1p-53 * total
        var last: Int32 = 0
        for candidate in candidates {
            last = candidate.weight > 0 ? candidate.id : last
            rest -= Double(candidate.weight)
            if rest < 0 { return candidate.id }
        }
        return last
    }
}

extension [Float] {
    fileprivate var sum: Double { reduce(0) { $0 + Double($1) } }
}

/// A seeded generator whose state is one number.
///
/// - Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
