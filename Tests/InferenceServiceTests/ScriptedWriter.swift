import Generation
import Tokenization

/// A model that writes what a script says, given the text that its cache holds: a cache that does
/// not hold the text shows in what it writes next.
final class ScriptedWriter: SequenceModel {
    /// What the script says at one place: texts that may follow, with their probabilities. Empty
    /// means the end of the text.
    typealias Script = (String) -> [(text: String, probability: Double)]

    final class Cache: SequenceCache {
        private let tokenizer: Tokenizer
        private var tokens: [TokenID] = []
        private var stream: StreamingDecoder
        private(set) var bytes: [UInt8] = []

        init(_ tokenizer: Tokenizer) {
            self.tokenizer = tokenizer
            stream = tokenizer.streamingDecoder()
        }

        var count: Int { tokens.count }

        func append(_ token: TokenID) {
            tokens.append(token)
            bytes += Array(stream.append(token).utf8)
        }

        func truncate(to count: Int) {
            guard count < tokens.count else { return }
            let kept = tokens.prefix(count)
            tokens = []
            bytes = []
            stream = tokenizer.streamingDecoder()
            for token in kept { append(token) }
        }
    }

    let vocabularySize: Int
    let contextLength: Int
    private let tokenizer: Tokenizer
    private let script: Script
    private static let answer = Array("### Answer:\n".utf8)

    init(_ tokenizer: Tokenizer, contextLength: Int = 4000, script: @escaping Script) {
        self.tokenizer = tokenizer
        self.contextLength = contextLength
        self.script = script
        vocabularySize = tokenizer.vocabularySize
    }

    func makeCache() -> any SequenceCache { Cache(tokenizer) }

    func decode(_ steps: [SequenceStep]) throws -> [[Float]] {
        steps.map { step in
            guard let cache = step.cache as? Cache else { return [] }
            var rows: [Float] = []
            for (index, token) in step.tokens.enumerated() {
                cache.append(token)
                let isLast = index + 1 == step.tokens.count
                if case .none = step.wanted { continue }
                if case .last = step.wanted, !isLast { continue }
                rows += logits(cache.bytes)
            }
            return rows
        }
    }

    private func logits(_ bytes: [UInt8]) -> [Float] {
        var logits = [Float](repeating: -12, count: vocabularySize)
        guard let start = Self.answer.find(in: bytes, from: 0) else { return logits }
        let written = String(decoding: bytes[(start + Self.answer.count)...], as: UTF8.self)
        let ways = script(written)
        var sums: [TokenID: Double] = [:]
        for way in ways { sums[first(way.text), default: 0] += way.probability }
        for (id, probability) in sums { logits[Int(id)] = Float(probability * 1e6).logarithm }
        if ways.isEmpty, let end = tokenizer.eosID { logits[Int(end)] = 8 }
        return logits
    }

    /// The first token of a text that follows another.
    private func first(_ text: String) -> TokenID {
        for anchor in ["\n", "x"] {
            let before = tokenizer.encode(anchor)
            let all = tokenizer.encode(anchor + text)
            if all.starts(with: before), all.count > before.count { return all[before.count] }
        }
        return tokenizer.encode(text)[0]
    }
}

extension Float {
    /// The natural logarithm, by the series of (x-1)/(x+1): good to six digits.
    fileprivate var logarithm: Float {
        guard self > 0 else { return -12 }
        let ratio = (Double(significand) - 1) / (Double(significand) + 1)
        var sum = 0.0
        var power = ratio
        for term in 0..<12 {
            sum += power / Double(2 * term + 1)
            power *= ratio * ratio
        }
        return Float(2 * sum + Double(exponent) * 0.693_147_180_559_945)
    }
}

extension [UInt8] {
    /// Where these bytes first occur in others.
    fileprivate func find(in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count - start >= count else { return nil }
        var index = start
        while index <= bytes.count - count {
            if bytes[index] == self[0], bytes[index..<index + count].elementsEqual(self) {
                return index
            }
            index += 1
        }
        return nil
    }
}

/// A well-behaved chain: drafts `draft(i)`, feedback `feedback(i)` on draft i, headings in order.
struct ChainScript: Sendable {
    var draft: @Sendable (Int) -> String = { "Draft \($0) says this." }
    /// Ends with a verdict, or not.
    var feedback: @Sendable (Int) -> String
    /// The probability of " needed" after "Revision is".
    var needed: @Sendable (Int) -> Double = { _ in 0.5 }
    /// Whether drafts end the text instead of opening feedback.
    var draftsEnd = false
    /// Whether a heading follows each feedback, rather than the end of the text.
    var feedbackGoesOn: @Sendable (Int) -> Bool = { _ in true }

    func callAsFunction(_ text: String) -> [(text: String, probability: Double)] {
        let bytes = Array(text.utf8)
        var start = 0
        var number = 0
        while true {
            // A draft, then its feedback, each as the script has it or as it was made to be.
            let toFeedback = "\n\n### Feedback \(number + 1):\n"
            guard let end = Array(toFeedback.utf8).find(in: bytes, from: start) else {
                let body = String(decoding: bytes[start...], as: UTF8.self)
                return rest(of: draft(number) + (draftsEnd ? "" : toFeedback), after: body)
            }
            start = end + toFeedback.utf8.count
            let toRevision = "\n\n### Revision \(number + 1):\n"
            guard let next = Array(toRevision.utf8).find(in: bytes, from: start) else {
                let body = String(decoding: bytes[start...], as: UTF8.self)
                return inFeedback(number, body, toRevision)
            }
            start = next + toRevision.utf8.count
            number += 1
        }
    }

    private func inFeedback(
        _ number: Int, _ body: String, _ heading: String
    ) -> [(text: String, probability: Double)] {
        let probability = needed(number)
        for (choice, share) in [(" needed", probability), (" not needed", 1 - probability)] {
            for length in 0..<choice.utf8.count
            where body.hasSuffix("Revision is" + choice.prefix(length)) {
                // Before the choice, and while its tokens are shared, both are open.
                let begun = choice.prefix(length)
                var ways = [(String(choice.dropFirst(length)), share)]
                let other = choice == " needed" ? " not needed" : " needed"
                if other.hasPrefix(begun) {
                    ways.append((String(other.dropFirst(length)), 1 - share))
                }
                return ways
            }
        }
        let target = feedback(number) + (feedbackGoesOn(number) ? heading : "")
        if target.hasPrefix(body) { return rest(of: target, after: body) }
        if body.hasSuffix("is needed") || body.hasSuffix("not needed") { return [(".", 1)] }
        for length in (0..<heading.utf8.count).reversed()
        where body.hasSuffix(heading.prefix(length)) {
            return [(String(heading.dropFirst(length)), 1)]
        }
        return [(heading, 1)]
    }

    private func rest(
        of target: String, after body: String
    ) -> [(text: String, probability: Double)] {
        guard target.hasPrefix(body) else { return [] }
        let rest = String(target.dropFirst(body.count))
        return rest.isEmpty ? [] : [(rest, 1)]
    }
}
