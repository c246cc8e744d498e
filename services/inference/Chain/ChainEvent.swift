package import Revising

/// What a segment of an answer is.
package enum SegmentKind: Sendable, Equatable {
    case answer, feedback, revision
}

/// One segment: its kind and its place among the segments of its kind, counted from 0.
package struct Segment: Sendable, Equatable {
    package var kind: SegmentKind
    package var index: Int

    package init(_ heading: Heading) {
        switch heading {
        case .feedback(let number): (kind, index) = (.feedback, number - 1)
        case .revision(let number): (kind, index) = (.revision, number - 1)
        case .instruction, .input, .answer: (kind, index) = (.answer, 0)
        }
    }
}

/// Tokens spent, by what they were spent on.
package struct ChainUsage: Sendable, Equatable {
    package var prompt = 0
    package var answer = 0
    package var feedback = 0
    package var revision = 0
    package var verdict = 0

    package init() {}

    package var completion: Int { answer + feedback + revision + verdict }
}

/// A verdict as it was committed.
package struct CommittedVerdict: Sendable, Equatable {
    package var isNeeded: Bool
    /// The model's probability of "needed" against "not needed".
    package var probability: Double
    /// Whether the policy decided against the model.
    package var isForced: Bool
    /// How often the feedback before it was given up and written anew.
    package var rewritten = 0
}

/// Why a chain ended.
package enum ChainEnd: String, Sendable {
    case stop, length, maximum, fixpoint, budget

    package init(_ reason: Revising.RevisionPolicy.Reason) {
        switch reason {
        case .off, .accepted: self = .stop
        case .maximum: self = .maximum
        case .fixpoint: self = .fixpoint
        case .tokens, .time: self = .budget
        }
    }
}

/// A chain that is done.
package struct ChainResult: Sendable {
    package var reason = ChainEnd.stop
    /// The last draft that is whole.
    package var answer = ""
    /// Every draft, the first answer first.
    package var drafts: [String] = []
    /// All that was generated, headings and verdicts included.
    package var generation = ""
    /// The prompt, then all that was generated.
    package var wholeGeneration = ""
    /// The tokens of `generation`.
    package var ids: [Int32] = []
    package var usage = ChainUsage()

    package init() {}

    package var revisions: Int { max(0, drafts.count - 1) }
}

/// What happens while a chain is written, in order.
package enum ChainEvent: Sendable {
    case started(Segment)
    case delta(Segment, String)
    case done(Segment, String)
    case verdict(Segment, CommittedVerdict)
    case usage(ChainUsage)
    case finished(ChainResult)
}
