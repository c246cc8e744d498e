/// One draft and what its critic said: the unit a chain is made of.
public struct Round: Sendable, Equatable {
    public var draft: String
    /// None where the chain ends with a draft.
    public var feedback: String?

    public init(draft: String, feedback: String? = nil) {
        self.draft = draft
        self.feedback = feedback
    }
}

/// What a model learns to write.
public enum Objective: String, Sendable, CaseIterable {
    /// The answer with all its feedback and revisions.
    case full
    /// The first answer alone.
    case answerOnly = "answer-only"
}

/// A chain as text: what a model is trained on, and what it writes.
public enum ChainText {
    /// What follows the prompt, without the end-of-sequence text; nothing is stripped.
    public static func text(
        of rounds: [Round], objective: Objective = .full, mode: ChainMode = .strict
    ) -> String {
        let write = { (text: String) in mode == .strict ? HeadingEscape.escape(text) : text }
        guard objective == .full else { return rounds.first.map { write($0.draft) } ?? "" }
        var text = ""
        for (index, round) in rounds.enumerated() {
            if index > 0 { text += Heading.revision(index).text }
            text += write(round.draft)
            guard let feedback = round.feedback else { continue }
            text += Heading.feedback(index + 1).text + write(feedback)
        }
        return text
    }

    /// A chain read back from text.
    public struct Parsed: Sendable, Equatable {
        /// At least one; the last may lack its feedback.
        public var rounds: [Round]
        /// Headings that were not the expected ones.
        public var irregularities: [Irregularity]
        /// Whether the last part was finished rather than cut.
        public var isComplete: Bool

        /// The last draft known to be whole: a cut revision is passed over.
        public var answer: String {
            let last = rounds[rounds.count - 1]
            let isWhole = isComplete || last.feedback != nil || rounds.count == 1
            return isWhole ? last.draft : rounds[rounds.count - 2].draft
        }

        public var revisions: Int { rounds.count - 1 }
    }

    /// A heading that broke the order: a wrong number is corrected, a wrong kind is left as text.
    public struct Irregularity: Sendable, Equatable {
        /// In bytes of the parsed text.
        public var offset: Int
        public var found: Heading
        public var expected: Heading
    }

    /// Reads what a model wrote after a prompt, by grammar: only the heading that is due divides.
    ///
    /// - Parameters:
    ///   - generation: the text after the prompt, the end-of-sequence text taken off.
    ///   - isComplete: whether the model ended it itself.
    public static func parse(generation: String, isComplete: Bool = true) -> Parsed {
        let bytes = Bytes(generation)
        var parts: [Bytes] = []
        var irregularities: [Irregularity] = []
        var expected = Heading.feedback(1)
        var partStart = bytes.startIndex
        var lineStart = bytes.startIndex
        while lineStart < bytes.endIndex {
            let lineEnd = bytes[lineStart...].firstIndex(of: .newline) ?? bytes.endIndex
            defer { lineStart = lineEnd + 1 }
            // A heading ends with a line break and has a blank line before it.
            guard lineEnd < bytes.endIndex, lineStart >= partStart + 2,
                bytes[lineStart - 2] == .newline,
                let found = Heading(line: bytes[lineStart..<lineEnd])
            else { continue }
            if found != expected {
                irregularities.append(
                    Irregularity(offset: lineStart, found: found, expected: expected))
            }
            guard found.isSameKind(as: expected) else { continue }
            parts.append(bytes[partStart..<lineStart - 2])
            partStart = lineEnd + 1
            expected = expected.successor
        }
        parts.append(bytes[partStart...])
        let texts = parts.map { HeadingEscape.unescape($0.text) }
        let rounds = stride(from: 0, to: texts.count, by: 2).map { index in
            Round(draft: texts[index], feedback: index + 1 < texts.count ? texts[index + 1] : nil)
        }
        return Parsed(rounds: rounds, irregularities: irregularities, isComplete: isComplete)
    }
}
