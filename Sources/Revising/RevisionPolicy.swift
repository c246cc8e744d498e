/// How many revisions an answer gets: one value used by every caller.
public struct RevisionPolicy: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        /// The first answer, without feedback.
        case off
        /// The model's own verdict decides.
        case autonomous
        /// As autonomous, but a verdict "not needed" is overruled below the minimum.
        case enforced
    }

    /// How far the text is taken back where the minimum overrules a verdict.
    public enum Rollback: String, Sendable, CaseIterable {
        /// To the verdict: the feedback stands, with the other verdict.
        case verdict
        /// To the beginning of the feedback: it is written anew, so that it supports the verdict.
        case feedback
    }

    public var mode: Mode
    /// Revisions made whatever the verdicts say; counts in mode `enforced`.
    public var minimum: Int
    /// Revisions never exceeded; nil leaves it to the verdict and the budgets.
    public var maximum: Int?
    /// Tokens of all parts together; nil for no limit.
    public var maximumTokens: Int?
    /// Time from the first token on; nil for no limit.
    public var time: Duration?
    /// Whether a revision equal to its parent ends the chain, once the minimum is reached.
    public var stopOnFixpoint: Bool
    /// A revision is needed when the model gives that verdict at least this probability.
    public var threshold: Double
    /// Whether the last draft that the maximum allows still gets feedback.
    public var critiquesLastDraft: Bool
    /// What an overruled verdict takes with it; counts in mode `enforced`.
    public var rollback: Rollback

    public init(
        mode: Mode = .autonomous, minimum: Int = 0, maximum: Int? = nil, maximumTokens: Int? = nil,
        time: Duration? = nil, stopOnFixpoint: Bool = true, threshold: Double = 0.5,
        critiquesLastDraft: Bool = false, rollback: Rollback = .verdict
    ) {
        self.mode = mode
        self.minimum = minimum
        self.maximum = maximum
        self.maximumTokens = maximumTokens
        self.time = time
        self.stopOnFixpoint = stopOnFixpoint
        self.threshold = threshold
        self.critiquesLastDraft = critiquesLastDraft
        self.rollback = rollback
    }

    /// What the policy needs to know of a generation.
    public struct Situation: Sendable, Equatable {
        /// Revisions written so far.
        public var revisions: Int
        public var tokens: Int
        public var elapsed: Duration
        /// Whether the last revision says the same as its parent.
        public var isFixpoint: Bool

        public init(
            revisions: Int, tokens: Int = 0, elapsed: Duration = .zero, isFixpoint: Bool = false
        ) {
            self.revisions = revisions
            self.tokens = tokens
            self.elapsed = elapsed
            self.isFixpoint = isFixpoint
        }
    }

    /// Why a chain ended.
    public enum Reason: String, Sendable, CaseIterable {
        case off, accepted, maximum, fixpoint, tokens, time
    }

    /// What to do after a draft is finished.
    public enum DraftDecision: Sendable, Equatable {
        case critique
        case finish(Reason)
    }

    /// What to write at the verdict, and what comes after it.
    public struct VerdictDecision: Sendable, Equatable {
        /// The verdict to commit.
        public var needed: Bool
        /// Whether it is the policy's and not the model's.
        public var forced: Bool
        /// Nil: write another revision.
        public var finish: Reason?

        public init(needed: Bool, forced: Bool, finish: Reason?) {
            self.needed = needed
            self.forced = forced
            self.finish = finish
        }
    }

    /// The minimum that counts: none unless enforced, never more than the maximum.
    public var effectiveMinimum: Int {
        mode == .enforced ? min(max(minimum, 0), maximum ?? .max) : 0
    }

    /// Decides, after the answer or a revision, whether to write feedback on it.
    public func afterDraft(_ situation: Situation) -> DraftDecision {
        guard mode != .off else { return .finish(.off) }
        if let reason = spent(situation) { return .finish(reason) }
        guard situation.revisions >= effectiveMinimum else { return .critique }
        if stopOnFixpoint, situation.isFixpoint { return .finish(.fixpoint) }
        if let maximum, situation.revisions >= maximum, !critiquesLastDraft {
            return .finish(.maximum)
        }
        return .critique
    }

    /// Decides at the verdict, from the probability the model gives to "needed".
    public func atVerdict(
        _ situation: Situation, neededProbability: Double
    ) -> VerdictDecision {
        // A probability that is no number compares false, and so means "not needed".
        atVerdict(situation, isNeeded: neededProbability >= threshold)
    }

    /// Decides at the verdict, from the model's own words.
    public func atVerdict(_ situation: Situation, isNeeded: Bool) -> VerdictDecision {
        if situation.revisions < effectiveMinimum {
            return VerdictDecision(needed: true, forced: !isNeeded, finish: spent(situation))
        }
        guard isNeeded else {
            return VerdictDecision(needed: false, forced: false, finish: .accepted)
        }
        let atMaximum = maximum.map { situation.revisions >= $0 } ?? false
        let reason = mode == .off ? Reason.off : atMaximum ? .maximum : spent(situation)
        return VerdictDecision(needed: true, forced: false, finish: reason)
    }

    private func spent(_ situation: Situation) -> Reason? {
        if let maximumTokens, situation.tokens >= maximumTokens { return .tokens }
        if let time, situation.elapsed >= time { return .time }
        return nil
    }
}
