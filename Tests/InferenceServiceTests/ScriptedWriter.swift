import Generation
import Tokenization

/// A model that writes what a script says, given the text that its cache holds: a cache that does
/// not hold the text shows in what it writes next.
final class ScriptedWriter: SequenceModel {
    /// What the script says at one place: texts that may follow, with their probabilities. Empty
    /// means the end of the text.
    typealias Script = (String) -> [(text: String, probability: Double)]

    final class Cache: SequenceCache {
        var tokens: [TokenID] = []
        var count: Int { tokens.count }
        func truncate(to count: Int) { tokens.removeLast(tokens.count - count) }
    }

    let vocabularySize: Int
    let contextLength: Int
    private let tokenizer: Tokenizer
    private let script: Script

    init(_ tokenizer: Tokenizer, contextLength: Int = 4000, script: @escaping Script) {
        self.tokenizer = tokenizer
        self.contextLength = contextLength
        self.script = script
        vocabularySize = tokenizer.vocabularySize
    }

    func makeCache() -> any SequenceCache { Cache() }

    func decode(_ steps: [SequenceStep]) throws -> [[Float]] {
        steps.map { step in
            guard let cache = step.cache as? Cache else { return [] }
            var rows: [Float] = []
            for (index, token) in step.tokens.enumerated() {
                cache.tokens.append(token)
                let isLast = index + 1 == step.tokens.count
                if case .none = step.wanted { continue }
                if case .last = step.wanted, !isLast { continue }
                rows += logits(cache.tokens)
            }
            return rows
        }
    }

    private func logits(_ tokens: [TokenID]) -> [Float] {
        var logits = [Float](repeating: -12, count: vocabularySize)
        let text = tokenizer.decode(tokens)
        let prompt = "### Answer:\n"
        guard let range = text.range(of: prompt) else { return logits }
        let ways = script(String(text[range.upperBound...]))
        for way in ways {
            logits[Int(first(way.text))] = Float(way.probability * 1e6).logarithm
        }
        if ways.isEmpty, let end = tokenizer.eosID { logits[Int(end)] = 8 }
        return logits
    }

    /// The first token of a text that follows another.
    private func first(_ text: String) -> TokenID {
        let anchor = tokenizer.encode("\n")
        let all = tokenizer.encode("\n" + text)
        guard all.starts(with: anchor), all.count > anchor.count else {
            let other = tokenizer.encode("x")
            return tokenizer.encode("x" + text)[other.count]
        }
        return all[anchor.count]
    }
}

extension Float {
    /// The natural logarithm, by the series of (x-1)/(x+1) after halving: good to six digits.
    fileprivate var logarithm: Float {
        guard self > 0 else { return -12 }
        let mantissa = Double(significand)
        let ratio = (mantissa - 1) / (mantissa + 1)
        var sum = 0.0
        var power = ratio
        for term in 0..<12 {
            sum += power / Double(2 * term + 1)
            power *= ratio * ratio
        }
        return Float(2 * sum + Double(exponent) * 0.693_147_180_559_945)
    }
}

extension String {
    /// The last place of a text.
    func range(of other: String) -> Range<String.Index>? {
        var found: Range<String.Index>?
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(other) {
                found = index..<self.index(index, offsetBy: other.count)
                break
            }
            index = self.index(after: index)
        }
        return found
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
        var rest = text[...]
        var number = 0
        while true {
            // A draft, then its feedback, each from the script or as it was made to be.
            let feedbackHeading = "\n\n### Feedback \(number + 1):\n"
            guard let end = rest.range(of: feedbackHeading, in: text) else {
                let target = draft(number) + (draftsEnd ? "" : feedbackHeading)
                return next(target, after: String(rest))
            }
            rest = text[end.upperBound...]
            let revisionHeading = "\n\n### Revision \(number + 1):\n"
            guard let next = rest.range(of: revisionHeading, in: text) else {
                return inFeedback(number, String(rest), revisionHeading)
            }
            rest = text[next.upperBound...]
            number += 1
        }
    }

    private func inFeedback(
        _ number: Int, _ body: String, _ heading: String
    ) -> [(text: String, probability: Double)] {
        if body.hasSuffix("Revision is") {
            let probability = needed(number)
            return [(" needed", probability), (" not", 1 - probability)]
        }
        if body.hasSuffix("Revision is not") { return [(" needed", 1)] }
        let target = feedback(number) + (feedbackGoesOn(number) ? heading : "")
        if target.hasPrefix(body) { return next(target, after: body) }
        if body.hasSuffix("is needed") || body.hasSuffix("not needed") { return [(".", 1)] }
        let full = body + heading
        for length in (0..<heading.count).reversed() where body.hasSuffix(heading.prefix(length)) {
            return [(String(heading.dropFirst(length)), 1)]
        }
        return [(full, 1)]
    }

    private func next(
        _ target: String, after body: String
    ) -> [(text: String, probability: Double)] {
        guard target.hasPrefix(body) else { return [] }
        let rest = String(target.dropFirst(body.count))
        return rest.isEmpty ? [] : [(rest, 1)]
    }
}

extension Substring {
    fileprivate func range(of other: String, in text: String) -> Range<String.Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(other) {
                return index..<self.index(index, offsetBy: other.count)
            }
            index = self.index(after: index)
        }
        return nil
    }
}
