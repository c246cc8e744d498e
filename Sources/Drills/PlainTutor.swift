internal import Judging

/// What the tutor does with tasks it cannot check: simple, deterministic, and no measure of quality.
///
/// An answer is as good as the share of the instruction's terms it takes up, a term being a word of
/// more than three letters; when it judges, length counts too, up to eighty words. That is enough
/// to run every step of a pipeline, offline, on any data: the first answer takes up some terms, its
/// feedback names the ones left out, the revision brings them in and is accepted.
enum PlainTutor {
    static func answer(to instruction: String) -> String {
        let terms = terms(of: instruction)
        guard !terms.isEmpty else { return "Tell me what you would like to know." }
        return "This is about \(terms.prefix((terms.count + 1) / 2).joined(separator: ", "))."
    }

    static func critique(of answer: String, to instruction: String) -> String {
        let missing = missing(in: answer, of: instruction)
        guard !missing.isEmpty else {
            return "The answer takes up the whole question. Score: 10/10. Revision is not needed."
        }
        let share = coverage(of: answer, to: instruction)
        return "The answer leaves out \(missing.prefix(12).joined(separator: ", "))."
            + " Score: \(1 + Int(7 * share))/10. Revision is needed."
    }

    static func revision(of answer: String, to instruction: String) -> String {
        let missing = missing(in: answer, of: instruction)
        guard !missing.isEmpty else { return answer }
        return answer.trimmed() + " It also concerns \(missing.joined(separator: ", "))."
    }

    static func judgement(of pair: JudgedPair) -> String {
        let scores = [pair.first, pair.second].map { answer in
            let share = 0.7 * coverage(of: answer, to: pair.question)
            let length = 0.3 * min(1, Double(answer.split(separator: " ").count) / 80)
            return ((1 + 9 * (share + length)) * 2).rounded() / 2
        }
        return Tutor.line(scores)
            + "\nThe answers were compared by the terms of the question they take up and by length."
    }

    private static func coverage(of answer: String, to instruction: String) -> Double {
        let count = terms(of: instruction).count
        guard count > 0 else { return 1 }
        return 1 - Double(missing(in: answer, of: instruction).count) / Double(count)
    }

    private static func missing(in answer: String, of instruction: String) -> [String] {
        let taken = Set(terms(of: answer, limit: .max))
        return terms(of: instruction).filter { !taken.contains($0) }
    }

    /// The different words of more than three letters, in the order they come.
    private static func terms(of text: String, limit: Int = 24) -> [String] {
        var seen: Set<String> = []
        var terms: [String] = []
        for word in text.split(whereSeparator: { !$0.isLetter }) where word.count > 3 {
            let term = word.lowercased()
            if seen.insert(term).inserted { terms.append(term) }
            if terms.count == limit { break }
        }
        return terms
    }
}
