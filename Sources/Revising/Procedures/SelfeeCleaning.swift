/// How the original tidies replies, side effects included.
public enum SelfeeCleaning {
    /// Takes remarks about the revision off an answer's end.
    ///
    /// Blank last lines go; then, while the last line's last sentence contains `revision `, that
    /// sentence goes, and what is left of the line loses the spaces between its sentences and
    /// gains a line break before it, even where it is the only line.
    public static func cleanRevision(_ answer: String) -> String {
        var lines = Bytes(answer).pieces(separatedBy: .newline)
        while true {
            let last = lines[lines.count - 1]
            let sentences = Sentences.ranges(in: last)
            guard let final = sentences.last else {
                // Nothing but blank lines is an empty answer.
                guard lines.count > 1 else { return "" }
                lines.removeLast()
                continue
            }
            guard last[final].contains("revision ") else { break }
            let kept = sentences.dropLast().flatMap { Array(last[$0]) }
            // The only line is taken for a last line after an empty one.
            lines = (lines.count > 1 ? Array(lines.dropLast()) : [[]]) + [ArraySlice(kept)]
        }
        return join(lines, with: .newline).text
    }

    /// Drops the text up to the first full stop when it apologises.
    public static func dropApology(_ answer: String) -> String {
        let pieces = Bytes(answer).pieces(separatedBy: .dot)
        guard pieces[0].lowercased.contains("i apologize") else { return answer }
        return join(pieces.dropFirst(), with: .dot).text
    }

    /// Makes "…, but revision is needed" after the last full stop a plain verdict.
    ///
    /// Never fires on a feedback that ends with a full stop: nothing stands after it.
    public static func normalizeVerdict(_ feedback: String) -> String {
        var pieces = Bytes(feedback).pieces(separatedBy: .dot)
        let last = pieces[pieces.count - 1]
        guard last.contains("but") else { return feedback }
        if last.contains("revision is needed") {
            pieces[pieces.count - 1] = Bytes(Verdict.neededText)
        } else if last.contains("revision is not needed") {
            pieces[pieces.count - 1] = Bytes(Verdict.notNeededText)
        }
        return join(pieces, with: .dot).text
    }
}

/// Tidies replies without harm to what stays.
public enum StrictCleaning {
    /// Takes remarks about the revision off the end and an apology off the beginning.
    ///
    /// An answer that consists of nothing else is left as it is.
    public static func clean(_ answer: String) -> String {
        let whole = Bytes(answer).trimmedAtEnd
        var text = whole
        while let cut = remark(atEndOf: text) { text = text[..<cut].trimmedAtEnd }
        if let start = apologyEnd(in: text) { text = text[start...].drop { $0.isSpace } }
        return text.allSatisfy(\.isSpace) ? whole.text : text.text
    }

    /// Where the last sentence starts, if it talks about the revision.
    private static func remark(atEndOf text: Bytes) -> Int? {
        let start = text.lastIndex(of: .newline).map { $0 + 1 } ?? text.startIndex
        guard let last = Sentences.ranges(in: text[start...]).last else { return nil }
        let sentence = text[last].lowercased
        let speaks = ["this revision ", "the revision ", "my revision ", "this revised answer "]
        return speaks.contains { sentence.starts(with: $0.utf8) } ? last.lowerBound : nil
    }

    /// Where the text goes on after a first sentence that apologises.
    private static func apologyEnd(in text: Bytes) -> Int? {
        let line = text[..<(text.firstIndex(of: .newline) ?? text.endIndex)]
        guard let first = Sentences.ranges(in: line).first else { return nil }
        let sentence = text[first].lowercased
        let apologies = ["i apologize", "i apologise", "my apologies", "apologies ", "i'm sorry"]
        return apologies.contains { sentence.firstRange(of: Array($0.utf8)) != nil }
            ? first.upperBound : nil
    }

    /// A feedback without the sentence that a token limit cut in its middle.
    public static func dropCutSentence(_ feedback: String) -> String {
        let text = Bytes(feedback).trimmedAtEnd
        let start = text.lastIndex(of: .newline).map { $0 + 1 } ?? text.startIndex
        guard let last = Sentences.ranges(in: text[start...]).last, let end = text.last,
            !end.endsWhole, last.lowerBound > text.startIndex
        else { return text.text }
        return text[..<last.lowerBound].trimmedAtEnd.text
    }
}

extension UInt8 {
    /// `.`, `!`, `?`, a closing quote or bracket.
    fileprivate var endsWhole: Bool { [46, 33, 63, 34, 41, 93].contains(self) }
}
