/// Finds the two scores in a judge's text.
///
/// A judge is asked for one line of two values, or for a tuple at the end, and obeys most of the
/// time. The forms are tried from the most to the least certain; nothing is guessed from a number
/// that no form explains, and a pair off the scale is refused.
///
/// ```
/// first line    9 8.5 | 8,9 | 8, 9. | 9 and 8 | 9/10 8/10 | [[8, 9]] | (8, 9) | Scores: 9 8
/// last line     … (8, 9)  |  Output: (8,9).  |  Scores: (Assistant 1: 10, Assistant 2: 10)
/// labels        Assistant 1: 10 (why)      then within three lines      Assistant 2: 4/10
///               Assistant 1 (9/10): why
/// earlier line  (8, 9) text  |  Scores: (8, 9)  |  [[8, 9]] text  |  Scores: 8 9
/// ```
public enum ScoreReader {
    /// How the scores were found.
    public enum Form: String, Sendable, Equatable, CaseIterable {
        case firstLine, lastLine, labels, earlierLine
    }

    public struct Reading: Sendable, Equatable {
        public var scores: Scores
        public var form: Form
    }

    /// The scores in a judge's text.
    ///
    /// - Throws: `noScores` where no form fits, `outOfRange` where one fits with a value off the
    ///   scale.
    public static func read(
        _ text: String, scale: ClosedRange<Double> = Scores.scale
    ) throws(JudgingError) -> Reading {
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.trimmed() }.filter { !$0.isEmpty }
        guard let reading = find(in: lines) else { throw .noScores(text: String(text.suffix(120))) }
        let scores = reading.scores
        guard scale.contains(scores.first), scale.contains(scores.second) else {
            throw .outOfRange(scores: scores, lowest: scale.lowerBound, highest: scale.upperBound)
        }
        return reading
    }

    private static func find(in lines: [Substring]) -> Reading? {
        guard let first = lines.first, let last = lines.last else { return nil }
        if let scores = bareLine(first) { return Reading(scores: scores, form: .firstLine) }
        if let scores = lastTuple(last) { return Reading(scores: scores, form: .lastLine) }
        if let scores = labels(in: lines) { return Reading(scores: scores, form: .labels) }
        for line in lines.reversed() {
            if let scores = announcedTuple(line) ?? pair(line, isAnnounced: true) {
                return Reading(scores: scores, form: .earlierLine)
            }
        }
        return nil
    }

    /// A line of two values and nothing else, but for a word that says what they are.
    private static func bareLine(_ line: Substring) -> Scores? {
        pair(line, isAnnounced: false)
    }

    /// - Parameter isAnnounced: whether the word must be there.
    private static func pair(_ line: Substring, isAnnounced: Bool) -> Scores? {
        let dressed: Set<Character> = ["*", "`", "[", "]", "(", ")", " ", "\t", "."]
        let bare = line.trimmed(where: { dressed.contains($0) })
        let pair =
            #/
            ((?i: (?:(?:final|overall)\s+)? (?:scores?|ratings?) \s* [:=] [\s*\[\(]* ))?
            ([0-9]+(?:\.[0-9]+)?) (?:\s*\/\s*10)?
            (?:\s*,\s*|\s+(?i:and\s+)?|\s*,\s*(?i:and)\s+|\s*&\s*)
            ([0-9]+(?:\.[0-9]+)?) (?:\s*\/\s*10)?
        /#
        guard let match = bare.wholeMatch(of: pair), match.1 != nil || !isAnnounced else {
            return nil
        }
        return scores(match.2, match.3)
    }

    /// The last parenthesis or bracket of the last line, as the original takes it.
    private static func lastTuple(_ line: Substring) -> Scores? {
        guard let open = line.lastIndex(where: { $0 == "(" || $0 == "[" }) else { return nil }
        let inside = line[line.index(after: open)...]
        guard let close = inside.firstIndex(where: { $0 == ")" || $0 == "]" }) else { return nil }
        return tuple(inside[..<close])
    }

    /// `8, 9` or `Assistant 1: 8, Assistant 2: 9`.
    private static func tuple(_ inside: Substring) -> Scores? {
        let parts = inside.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let value =
            #/
            \s* (?:(?i:assistant)\s*([12AB])\s*[:=]\s*)?
            ([0-9]+(?:\.[0-9]+)?) (?:\s*\/\s*10)? \s*
        /#
        guard let first = parts[0].wholeMatch(of: value),
            let second = parts[1].wholeMatch(of: value)
        else { return nil }
        switch (first.1, second.1) {
        case (nil, nil), ("1", "2"), ("A", "B"): return scores(first.2, second.2)
        default: return nil
        }
    }

    /// A tuple that opens its line, or one on a line that says it is the score.
    private static func announcedTuple(_ line: Substring) -> Scores? {
        let opening = #/\s*(?:\[\[|[\[\(])([^\]\)]*)(?:\]\]|[\]\)])/#
        if let match = line.prefixMatch(of: opening), let found = tuple(match.1) { return found }
        let announced =
            #/
            (?i:scores?|output|tuple|ratings?|verdict)\b [^\(\[]* (?:\[\[|[\[\(]) ([^\]\)]*) [\]\)]
        /#
        return line.matches(of: announced).reversed().lazy.compactMap { tuple($0.1) }.first
    }

    private static func scores(_ first: Substring, _ second: Substring) -> Scores? {
        guard let first = Double(first), let second = Double(second) else { return nil }
        return Scores(first, second)
    }
}

// MARK: - Labels

extension ScoreReader {
    /// Scores that stand beside the assistants' names.
    ///
    /// The last pair counts, the first assistant's before the second's and at most three lines
    /// apart: a judge that worked the problem out may have named numbers of each before.
    private static func labels(in lines: [Substring]) -> Scores? {
        var first: (value: Double, line: Int)?
        var found: Scores?
        for (line, text) in lines.enumerated() {
            for label in labelled(text) {
                if label.assistant == 1 {
                    first = (label.score, line)
                } else if let one = first, line - one.line <= 3 {
                    found = Scores(one.value, label.score)
                    first = nil
                }
            }
        }
        return found
    }

    private struct Label {
        let assistant: Int
        let score: Double
    }

    /// `Assistant 1 (9/10): …`
    private static func bracketed(_ line: Substring) -> [Label] {
        let label =
            #/
            (?i) assistant \s* ([12]) \*{0,2} \s* [\(\[] \s* (?: (?:score|rating) \s* [:=]? \s* )?
            ([0-9]+(?:\.[0-9]+)?) (?: \s* / \s* 10 )? \s* [\)\]] \*{0,2} \s* [:–\-]
        /#
        return line.matches(of: label).compactMap { match in
            guard let assistant = Int(match.1), let score = Double(match.2) else { return nil }
            return Label(assistant: assistant, score: score)
        }
    }

    /// `Assistant 1: 10`, `Assistant 1's score: 5/10 (…)`, `Assistant 2 a score of 8`.
    ///
    /// What follows the number must end it: a sentence, an operator or another digit would make
    /// it part of the working, not a score.
    private static func labelled(_ line: Substring) -> [Label] {
        let label =
            #/
            (?i) assistant \s* ([12]) \*{0,2} (?:'s|’s)? \s*
            (   (?: \(? \b(?:final|overall|scores?|rating|gets|receives|earns|is|of|an?)\b
                \)? \s* )+ [:=–\-]?
            |   [:=–\-] )
            \s* \*{0,2} \s* ([0-9]+(?:\.[0-9]+)?) (?: \s* / \s* 10 | \s+ out \s+ of \s+ 10 )? \b
            (?: \s+ points? \b )? \*{0,2}
            (   \s* $ | \s* [;|\]\),\(] | \. \s* $ | \. (?= \s ) | \s+ [–\-] \s | \s+ (?=and\b) )
        /#
        return bracketed(line)
            + line.matches(of: label).compactMap { match in
                guard let assistant = Int(match.1), let score = Double(match.3) else { return nil }
                // "Assistant 1: 1. First, …" begins a list; "a score of 8. It …" ends a sentence.
                let endsSentence = match.4 == "." && match.range.upperBound < line.endIndex
                if endsSentence, !match.2.contains(#/(?i)score|rating/#) { return nil }
                return Label(assistant: assistant, score: score)
            }
    }
}

// MARK: - The original's rules

extension ScoreReader {
    /// What the original's parser finds, flaw for flaw, or nil where it writes -1 and -1.
    ///
    /// Rule A reads the first line as two values separated by one blank or comma; a word there
    /// that is no number ends the search. Rule B reads the last parenthesis of the last line.
    public static func readAsOriginal(_ text: String) -> Scores? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let last = lines.last else { return nil }
        let words = first.map { $0 == "," ? " " : $0 }.split(
            separator: " ", omittingEmptySubsequences: false)
        if words.count == 2 {
            return scores(Substring(String(words[0])), Substring(String(words[1])))
        }
        guard let open = last.lastIndex(of: "(") else { return nil }
        let cut = last[last.index(after: open)...].prefix { $0 != ")" }
        let parts = cut.split(separator: ", ", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return scores(parts[0], parts[1])
    }
}

extension Substring {
    func trimmed(where drops: (Character) -> Bool = { $0.isWhitespace }) -> Substring {
        var text = self
        while let first = text.first, drops(first) { text.removeFirst() }
        while let last = text.last, drops(last) { text.removeLast() }
        return text
    }
}
