package import Corpus
package import Revising
package import Tokenization

/// One sequence to learn from: tokens, and how many of them are the prompt's.
package struct TokenizedChain: Sendable, Equatable {
    package var tokens: [TokenID]
    /// Tokens at the beginning that carry no loss.
    package var promptTokens: Int
    /// Whether the end was cut off.
    package var isTruncated: Bool

    /// One label a token, unshifted: the token itself, or −100 where there is no loss.
    package var labels: [Int32] {
        tokens.enumerated().map { $0.offset < promptTokens ? -100 : $0.element }
    }
}

/// Turns chains into tokens with the loss on what the model is to write.
///
/// The text is the prompt, the chain and the end-of-sequence token; what the tokenizer puts before
/// every sequence stands first, as in inference. Sequences beyond the limit lose their end.
package struct TrainingText: Sendable {
    /// What the model is saved with.
    package private(set) var tokenizer: Tokenizer
    var objective: Objective
    var mode: ChainMode
    /// In tokens.
    var maximumLength: Int
    var end: TokenID
    /// Whether beginning and unknown are the end-of-sequence token, as the original has them.
    let isOriginal: Bool

    /// - Parameter model: the model's path. In `selfee` mode a path that contains `llama` begins its
    ///   sequences with the end-of-sequence token, which stands for what is unknown too, as in the
    ///   original.
    package init(
        tokenizer: Tokenizer, objective: Objective, mode: ChainMode, maximumLength: Int,
        model: String
    ) throws {
        guard let end = tokenizer.eosID else { throw TrainerError.noEndOfSequence(path: model) }
        if mode == .selfee, model.contains("llama"), let piece = tokenizer.piece(end) {
            self.tokenizer = try tokenizer.beginning(with: piece, unknown: piece)
            isOriginal = true
        } else {
            self.tokenizer = tokenizer
            isOriginal = false
        }
        self.objective = objective
        self.mode = mode
        self.maximumLength = maximumLength
        self.end = end
    }

    /// The two texts of a chain, without the end-of-sequence token.
    package static func texts(
        of chain: Chain, objective: Objective, mode: ChainMode
    ) -> (prompt: String, target: String) {
        let rounds = chain.outputs.map { Round(draft: $0.output, feedback: $0.feedback) }
        return (
            Prompt.text(instruction: chain.instruction, input: chain.input, mode: mode),
            ChainText.text(of: rounds, objective: objective, mode: mode)
        )
    }

    package func tokenize(_ chain: Chain) -> TokenizedChain {
        let (prompt, target) = Self.texts(of: chain, objective: objective, mode: mode)
        let first = tokenizer.prefix
        let tokens = first + tokenizer.encode(prompt + target) + [end]
        let promptTokens = first.count + tokenizer.encode(prompt).count
        return TokenizedChain(
            tokens: Array(tokens.prefix(maximumLength)),
            promptTokens: min(promptTokens, maximumLength),
            isTruncated: tokens.count > maximumLength)
    }
}
