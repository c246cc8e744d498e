/// The original's way to find the final answer in a whole generation (prompt included).
///
/// Kept with its flaws, since released answer files were made with it: a revision without feedback
/// after it is dropped unless it is alone, and only one digit of a revision's number is taken off.
public enum SelfeeAnswer {
    /// The final answer; nil where the original stops with an index error.
    public static func text(in wholeGeneration: String) -> String? {
        let whole = Bytes(wholeGeneration)
        guard let answer = initialAnswer(in: whole) else { return nil }
        guard whole.contains("### Revision") else { return stripped(answer) }
        let chunks = pieces(of: whole, separatedBy: "### Revision ")
        let last = chunks[chunks.count - 1]
        if last.contains("\n\n### Feedback") { return stripped(revision(in: last)) }
        switch chunks.count {
        case 1: return nil
        case 2: return stripped(answer)
        default: return stripped(revision(in: chunks[chunks.count - 2]))
        }
    }

    private static func initialAnswer(in whole: Bytes) -> Bytes? {
        guard let heading = whole.firstRange(of: "### Answer:") else { return nil }
        return beforeFeedback(whole[heading.upperBound...])
    }

    private static func revision(in chunk: Bytes) -> Bytes {
        let text = beforeFeedback(chunk)
        // The first code point is taken for the revision's number.
        let rest = text.dropFirst()
        return rest.drop { $0 & 0xC0 == 0x80 }
    }

    private static func beforeFeedback(_ text: Bytes) -> Bytes {
        guard let heading = text.firstRange(of: "\n\n### Feedback") else { return text }
        return text[text.startIndex..<heading.lowerBound]
    }

    private static func stripped(_ text: Bytes) -> String {
        var text = text
        if text.first == UInt8(ascii: ":") { text = text.dropFirst() }
        if text.first == .newline { text = text.dropFirst() }
        return text.text
    }

    private static func pieces(of text: Bytes, separatedBy separator: StaticString) -> [Bytes] {
        var pieces: [Bytes] = []
        var start = text.startIndex
        while let found = text.firstRange(of: separator, from: start) {
            pieces.append(text[start..<found.lowerBound])
            start = found.upperBound
        }
        return pieces + [text[start...]]
    }
}
