import Generation
import Revising

// How many tokens each part of a chain may take, so that the revisions owed fit into what there is.
extension ChainDecoder {
    /// The fewest tokens of a feedback; a draft gets twice as many.
    private static let leastFeedback = 4
    private static let draftWeight = 2

    /// Tokens that can still be written: the context's room, or less by the policy's budget.
    private var room: Int {
        let context = situation.contextLength - prompt.count - tokens.ids.count - 1
        guard let limit = request.policy.maximumTokens else { return context }
        return min(context, limit - usage.completion)
    }

    /// Feedback owed to the last draft that is enforced, where the policy wants it.
    var closing: Int {
        request.policy.critiquesLastDraft && request.policy.effectiveMinimum > 0 ? 1 : 0
    }

    /// Why the revisions that are enforced cannot fit, whatever they say; nil if they can.
    var shortage: GenerationError? {
        let minimum = request.policy.effectiveMinimum
        guard minimum > 0 else { return nil }
        let weights = minimum * (1 + Self.draftWeight) + Self.draftWeight + closing
        let least = (minimum + closing) * overhead + weights * Self.leastFeedback
        guard room < least else { return nil }
        let expected = "at least \(least) tokens, so that \(minimum) revisions fit"
        if let limit = request.policy.maximumTokens, limit < least {
            return .badSetting(name: "the token limit", value: "\(limit)", expected: expected)
        }
        return .badSetting(
            name: "the context left after the prompt", value: "\(max(0, room))",
            expected: expected)
    }

    /// The tokens that the section which has just begun may take.
    ///
    /// What is left is shared by weight among this section and those still owed, after each
    /// heading and verdict has got its own.
    var sectionLimit: Int {
        let asked = request.segmentTokens ?? .max
        guard request.policy.effectiveMinimum > 0 else { return asked }
        let owed = request.policy.effectiveMinimum - drafts.count
        let isFeedback = section.isFeedback
        let revisionsLeft = isFeedback ? owed + 1 : owed
        guard revisionsLeft + closing >= (isFeedback ? 1 : 0), revisionsLeft >= 0 else {
            return asked
        }
        let own = isFeedback ? 1 : Self.draftWeight
        let feedbacksLeft = revisionsLeft + closing
        let weights =
            revisionsLeft * Self.draftWeight + feedbacksLeft + (isFeedback ? 0 : Self.draftWeight)
        let shared = room - feedbacksLeft * overhead
        return min(asked, max(Self.leastFeedback, shared * own / weights))
    }

    // MARK: feedback written anew

    /// How often feedback is written anew before its verdict is turned round as it is.
    private static let mostRewrites = 3
    /// Feedback that is written anew is drawn at least this freely, so that it can differ.
    private static let rewriteTemperature = 0.7

    /// Whether the feedback in work may yet be given up.
    var isRewritable: Bool {
        section.isFeedback && !section.isDecided && request.policy.rollback == .feedback
            && drafts.count - 1 < request.policy.effectiveMinimum
    }

    /// Gives the feedback up and writes it anew, so that it supports the verdict that must follow.
    ///
    /// - Returns: nil once that was tried often enough or tokens run short: then the feedback that
    ///   came nearest gets the verdict.
    mutating func rewrite(_ scoring: VerdictScoring) -> SequenceCommand? {
        if scoring.probability > section.nearest?.probability ?? -1 { section.nearest = scoring }
        guard section.rewritten < Self.mostRewrites else { return nil }
        let kept = tokens
        tokens.replace(Array(tokens.bytes[..<section.start]))
        let limit = sectionLimit
        guard limit >= section.tokens else {
            tokens = kept
            return nil
        }
        section.limit = limit
        section.tokens = 0
        section.rewritten += 1
        section.rejectedSlot = -1
        section.isCut = false
        var sampling = request.sampling
        let isGreedy = sampling.temperature < Sampler.smallestTemperature
        sampling.temperature = max(sampling.temperature, Self.rewriteTemperature)
        if sampling.seed != nil || isGreedy {
            sampling.seed = (sampling.seed ?? 0) &+ UInt64(drafts.count * 16 + section.rewritten)
        }
        rewriter = Sampler(sampling)
        phase = .writing
        return feed(tokens.ids)
    }
}
