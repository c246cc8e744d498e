/// What an import keeps.
public struct ImportOptions: Sendable, Hashable {
    /// Which two turns of a conversation become instruction and output.
    public enum PairRule: String, Sendable, Hashable, CaseIterable {
        /// The first turn of a human that an assistant answers: what the original means.
        case human
        /// The first two, whoever speaks: what the original does.
        case original
    }

    /// Keep only rows whose instruction and output are English.
    public var englishOnly: Bool
    public var pairRule: PairRule
    /// Drop answers whose last character is a question mark. Concerns conversations only.
    public var dropsQuestions: Bool
    /// Drop rows equal to an earlier one.
    public var dropsDuplicates: Bool
    /// Stop after so many kept rows.
    public var limit: Int?

    public init(
        englishOnly: Bool = false, pairRule: PairRule = .human, dropsQuestions: Bool = true,
        dropsDuplicates: Bool = false, limit: Int? = nil
    ) {
        self.englishOnly = englishOnly
        self.pairRule = pairRule
        self.dropsQuestions = dropsQuestions
        self.dropsDuplicates = dropsDuplicates
        self.limit = limit
    }
}
