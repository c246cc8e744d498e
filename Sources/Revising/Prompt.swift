/// The text a model is given, up to and including the open answer heading.
public enum Prompt {
    /// Opens a prompt without an input.
    public static let preamble =
        "Below is an instruction that describes a task."
        + " Write a response that appropriately completes the request."

    /// Opens a prompt with an input.
    public static let preambleWithInput =
        "Below is an instruction that describes a task, paired with an input that provides further"
        + " context. Write a response that appropriately completes the request."

    /// One instruction; the input's part appears only when it is not empty.
    public static func text(
        instruction: String, input: String = "", mode: ChainMode = .strict
    ) -> String {
        let write = { (text: String) in mode == .strict ? HeadingEscape.escape(text) : text }
        var prompt = input.isEmpty ? preamble : preambleWithInput
        prompt += Heading.instruction.text + write(instruction)
        if !input.isEmpty { prompt += Heading.input.text + write(input) }
        return prompt + Heading.answer.text
    }

    /// A conversation: each earlier turn is its instruction and its last answer, without feedback.
    ///
    /// A conversation of one turn without a system text is the same prompt as the instruction's, so
    /// the model sees what it was trained on.
    ///
    /// - Parameters:
    ///   - turns: what was said before, oldest first.
    ///   - system: stands before the first instruction, a blank line between.
    public static func text(
        conversation turns: [Turn], instruction: String, input: String = "", system: String = ""
    ) -> String {
        var instructions = turns.map(\.instruction) + [instruction]
        if !system.isEmpty { instructions[0] = system + "\n\n" + instructions[0] }
        var prompt = input.isEmpty ? preamble : preambleWithInput
        for (turn, instruction) in zip(turns, instructions) {
            prompt += Heading.instruction.text + HeadingEscape.escape(instruction)
            prompt += Heading.answer.text + HeadingEscape.escape(turn.answer)
        }
        prompt += Heading.instruction.text + HeadingEscape.escape(instructions[turns.count])
        if !input.isEmpty { prompt += Heading.input.text + HeadingEscape.escape(input) }
        return prompt + Heading.answer.text
    }

    /// One finished exchange of a conversation.
    public struct Turn: Sendable, Equatable {
        public var instruction: String
        /// The last draft, without the feedback that led to it.
        public var answer: String

        public init(instruction: String, answer: String) {
            self.instruction = instruction
            self.answer = answer
        }
    }
}
