/// Which rules a chain is made, written and read by.
public enum ChainMode: String, Sendable, CaseIterable {
    /// As SelFee does it, flaws included: for comparing files and requests with the original.
    case selfee
    /// Verdicts by grammar, headings escaped, numbers enforced: for new work.
    case strict
}
