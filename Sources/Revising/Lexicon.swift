/// The words verdicts are made of.
enum Lexicon {
    enum Need { case needed, unneeded, soft }

    static let revisionNouns: Set = ["revision", "revisions"]
    static let revisionVerbs: Set = ["revise", "revised", "revising"]
    static let changeNouns: Set = [
        "change", "changes", "improvement", "improvements", "modification", "modifications",
        "edits",
        "correction", "corrections", "adjustments",
    ]
    static let critiqueNouns: Set = ["critique", "critiques", "comments"]
    static let determiners: Set = [
        "no", "a", "an", "any", "the", "some", "this", "none", "another", "its", "your", "neither",
    ]
    /// Determiners that deny their noun.
    static let denials: Set = ["no", "none", "neither"]
    static let adjectives: Set = [
        "further", "other", "major", "more", "additional", "significant", "minor", "small",
        "slight",
        "few", "several", "such", "big", "great", "substantial", "immediate", "extra", "real",
        "obvious", "apparent", "specific", "particular", "necessary", "needed", "required", "only",
        "of", "slightest", "little", "bit", "complete", "thorough", "urgent", "mandatory", "nor",
    ]

    /// What a noun's predicate says.
    static let predicates: [String: Need] = [
        "needed": .needed, "necessary": .needed, "required": .needed, "warranted": .needed,
        "essential": .needed, "mandatory": .needed, "need": .needed,
        "unnecessary": .unneeded, "unneeded": .unneeded, "optional": .unneeded,
        "recommended": .soft, "suggested": .soft, "advised": .soft, "advisable": .soft,
        "desirable": .soft, "encouraged": .soft,
    ]

    static let negations: Set = [
        "not", "never", "isn't", "aren't", "wasn't", "weren't", "doesn't", "don't", "didn't",
        "cannot", "can't", "won't", "wouldn't", "needn't", "hasn't", "haven't", "hardly", "without",
        "nothing", "couldn't", "shouldn't", "nor", "neither", "longer",
    ]

    /// Words that may stand between a noun and its predicate.
    static let links: Set = [
        "is", "are", "was", "were", "be", "being", "been", "it's", "may", "might", "would", "could",
        "should", "will", "can", "must", "seems", "seem", "appears", "appear", "to", "really",
        "strictly", "absolutely", "definitely", "still", "therefore", "thus", "also", "currently",
        "further", "at", "all", "this", "time", "point", "for", "of", "in", "on", "the", "answer",
        "answers", "that", "here", "stage", "response", "your", "my", "its", "proposed", "solution",
        "function", "code", "deemed", "considered", "probably", "likely", "only", "just",
        "actually",
        "certainly", "initial", "given", "moment", "as", "such", "even", "necessarily",
        "generally", "case", "score", "verdict", "highly", "strongly", "much", "truly", "algorithm",
        "or", "and", "improvement", "improvements", "changes", "clearly", "now", "no", "there",
        "regex",
    ]

    static let needVerbs: Set = [
        "need", "needs", "needed", "needing", "require", "requires", "required", "requiring",
        "necessary", "necessity", "warrant", "warrants", "demands",
    ]
    static let softVerbs: Set = [
        "suggest", "suggests", "recommend", "recommends", "benefit", "deserves", "use", "merits",
    ]
    static let needPrepositions: Set = ["for", "of", "from"]

    /// Words before "revise" that make it a demand or its denial.
    static let obligations: Set = [
        "need", "needs", "needed", "require", "requires", "required", "necessary", "should", "must",
        "unnecessary", "suggest", "recommend", "has", "have",
    ]
    static let strongModals: Set = ["should", "must", "has", "have"]
    static let verbLinks: Set = [
        "to", "be", "for", "you", "it", "the", "answer", "code", "further", "that", "it's", "is",
        "being", "your", "this",
    ]

    static let hypothetical: Set = [
        "if", "whether", "unless", "once", "until", "when", "indicating",
    ]
    static let opinions: Set = [
        "think", "believe", "find", "see", "feel", "consider", "have", "suggest", "recommend",
        "say",
    ]
    static let conjunctions: Set = ["and", "or", "but", "so", "as", "since", "because", "though"]
    static let clauseOpeners: Set = [
        "and", "but", "therefore", "thus", "hence", "so", "as", "since", "because", "however",
        "although", "though", "overall", "that", "which", "while", "then", "said", "also", "if",
        "whether", "unless", "once", "when",
    ]
}
