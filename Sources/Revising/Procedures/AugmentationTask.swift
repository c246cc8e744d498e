/// What a chain is made for.
public struct AugmentationTask: Sendable, Equatable {
    public var instruction: String
    /// May be empty.
    public var input: String
    /// The gold answer (flan) or the answer to start from (sharegpt); alpaca has no use for it.
    public var output: String?

    public init(instruction: String, input: String = "", output: String? = nil) {
        self.instruction = instruction
        self.input = input
        self.output = output
    }
}

/// A finished chain as its record holds it.
public struct AugmentedChain: Sendable, Equatable {
    /// Whether the chain ended because five drafts were reached.
    public var iterationTruncated: Bool
    /// The gold answer; kept by flan alone.
    public var output: String?
    public var instruction: String
    public var input: String
    public var rounds: [Round]
    /// What a reader should know; always empty in mode selfee.
    public var flags: [Flag]

    /// As many as there are drafts.
    public var iteration: Int { rounds.count }

    /// Something about a chain that the original passes over in silence.
    public enum Flag: String, Sendable, CaseIterable {
        /// The reviser answered N/A: the last feedback still asks for a revision.
        case revisionNotAvailable = "revision-not-available"
        /// The critic gave no verdict; one was added after its score, else "needed".
        case verdictAdded = "verdict-added"
        /// A token limit cut a draft.
        case draftCut = "draft-cut"
        /// A token limit cut a feedback; its broken sentence was taken off.
        case feedbackCut = "feedback-cut"
        /// The last draft was accepted with a score below nine.
        case acceptedBelowNine = "accepted-below-nine"
        /// A revision says the same as its parent.
        case fixpoint
        /// A feedback holds the gold answer word for word.
        case goldInFeedback = "gold-in-feedback"
        /// The five drafts ended without acceptance.
        case notAccepted = "not-accepted"
    }
}
