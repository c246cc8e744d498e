/// The headings that divide a chain's text.
///
/// ```
/// {preamble}\n\n### Instruction:\n…[\n\n### Input:\n…]\n\n### Answer:\n{answer}
/// \n\n### Feedback 1:\n{feedback}\n\n### Revision 1:\n{revision}\n\n### Feedback 2:\n…
/// ```
public enum Heading: Sendable, Equatable, CustomStringConvertible {
    case instruction
    case input
    case answer
    /// Counted from one: feedback `i` criticises the answer (1) or revision `i - 1`.
    case feedback(Int)
    /// Counted from one.
    case revision(Int)

    /// The heading's own line: `### Feedback 1:`.
    public var description: String {
        switch self {
        case .instruction: "### Instruction:"
        case .input: "### Input:"
        case .answer: "### Answer:"
        case .feedback(let number): "### Feedback \(number):"
        case .revision(let number): "### Revision \(number):"
        }
    }

    /// As it stands in a text: a blank line before it, a line break after it.
    public var text: String { "\n\n\(description)\n" }

    /// What comes after this part of a chain.
    public var successor: Heading {
        switch self {
        case .instruction, .input: .answer
        case .answer: .feedback(1)
        case .feedback(let number): .revision(number)
        case .revision(let number): .feedback(number + 1)
        }
    }

    /// Whether both are headings of the same kind, whatever their numbers.
    public func isSameKind(as other: Heading) -> Bool {
        switch (self, other) {
        case (.instruction, .instruction), (.input, .input), (.answer, .answer),
            (.feedback, .feedback), (.revision, .revision):
            true
        default: false
        }
    }

    /// Reads a line that is a heading and nothing else.
    init?(line: Bytes) {
        guard line.starts(with: "### "), line.last == UInt8(ascii: ":") else { return nil }
        let words = line.dropFirst(4).dropLast().pieces(separatedBy: 32)
        let number = words.count == 2 ? Heading.number(words[1]) : nil
        switch (words.first?.text, words.count, number) {
        case ("Instruction", 1, _): self = .instruction
        case ("Input", 1, _): self = .input
        case ("Answer", 1, _): self = .answer
        case ("Feedback", 2, let number?): self = .feedback(number)
        case ("Revision", 2, let number?): self = .revision(number)
        default: return nil
        }
    }

    private static func number(_ digits: Bytes) -> Int? {
        guard !digits.isEmpty, digits.count <= 9, digits.allSatisfy(\.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}

/// Keeps text that looks like a heading from being read as one.
///
/// A line that is a heading after any number of backslashes gets one more; reading takes one away.
/// Every text survives the way there and back.
public enum HeadingEscape {
    public static func escape(_ text: String) -> String {
        guard mayHoldHeading(text) else { return text }
        return mapLines(text) { line in looksLikeHeading(line) ? [backslash] + line : line }
    }

    public static func unescape(_ text: String) -> String {
        guard mayHoldHeading(text) else { return text }
        return mapLines(text) { line in
            line.first == backslash && looksLikeHeading(line) ? line.dropFirst() : line
        }
    }

    private static let backslash = UInt8(ascii: "\\")

    private static func mayHoldHeading(_ text: String) -> Bool {
        var run = 0
        for byte in text.utf8 {
            run = byte == UInt8(ascii: "#") ? run + 1 : 0
            if run == 3 { return true }
        }
        return false
    }

    private static func looksLikeHeading(_ line: Bytes) -> Bool {
        Heading(line: line.drop { $0 == backslash }) != nil
    }

    private static func mapLines(_ text: String, _ change: (Bytes) -> Bytes) -> String {
        join(Bytes(text).pieces(separatedBy: .newline).map(change), with: .newline).text
    }
}
