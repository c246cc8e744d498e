/// What a feedback says about the need for a revision, and where it says so.
///
/// Found by grammar, not by substring: "the import is not needed" is no verdict, "there is no need
/// to revise" is one. The last clear verdict of a feedback counts; a hint such as "the docstring
/// could be revised" counts only where there is no clear one.
public struct Verdict: Sendable, Equatable {
    public var isNeeded: Bool
    /// The words of the verdict in bytes of the feedback, punctuation after them left out.
    ///
    /// Replacing this range by another verdict leaves a feedback that reads well.
    public var range: Range<Int>
    /// Whether it is said outright rather than hinted at.
    public var isClear: Bool

    /// The verdict that asks for a revision, as prompts and training data spell it.
    public static let neededText = "Revision is needed"
    /// The verdict that accepts a draft.
    public static let notNeededText = "Revision is not needed"
    /// What both spellings share: after it comes the choice.
    public static let stem = "Revision is"

    public static func text(needed: Bool) -> String { needed ? neededText : notNeededText }

    /// The last verdict of a feedback, clear ones before hints; nil where it gives none.
    public static func find(in feedback: String) -> Verdict? {
        let verdicts = all(in: feedback)
        return verdicts.last(where: \.isClear) ?? verdicts.last
    }

    /// Every verdict of a feedback, in order.
    public static func all(in feedback: String) -> [Verdict] {
        VerdictGrammar(feedback).verdicts()
    }

    /// Whether the text written so far ends in the stem, so that the next word is the choice.
    ///
    /// White space after the stem is allowed.
    public static func isDue(after feedback: String) -> Bool {
        let text = Bytes(feedback).trimmedAtEnd
        let words = Words.words(in: text.suffix(stem.utf8.count + 1))
        guard words.count >= 2, text.last?.isLetter == true else { return false }
        return words[words.count - 2].text == "revision" && words[words.count - 1].text == "is"
    }

    /// The feedback with its verdict replaced, or with one added where it has none.
    public static func rewrite(_ feedback: String, needed: Bool) -> String {
        let bytes = Bytes(feedback)
        guard let verdict = find(in: feedback) else {
            let kept = bytes.trimmedAtEnd
            guard let last = kept.last else { return text(needed: needed) + "." }
            let stop = [46, 33, 63].contains(last) || !last.isLetter && !last.isDigit ? "" : "."
            return kept.text + stop + " " + text(needed: needed) + "."
        }
        return bytes[..<verdict.range.lowerBound].text + text(needed: needed)
            + bytes[verdict.range.upperBound...].text
    }
}

/// The original's stop test: four substrings anywhere in the feedback.
public enum SelfeeVerdict {
    /// Whether the original ends the chain after this feedback.
    public static func stops(_ feedback: String) -> Bool {
        let text = Bytes(feedback).lowercased
        return text.contains("no critique") || text.contains("no revision")
            || text.contains("no need") || text.contains("not needed")
    }
}
