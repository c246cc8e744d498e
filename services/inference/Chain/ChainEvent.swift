import Revising

/// What a segment of an answer is.
enum SegmentKind: Sendable, Equatable {
    case answer, feedback, revision
}

/// One segment: its kind and its place among the segments of its kind, counted from 0.
struct Segment: Sendable, Equatable {
    var kind: SegmentKind
    var index: Int

    init(_ heading: Heading) {
        switch heading {
        case .feedback(let number): (kind, index) = (.feedback, number - 1)
        case .revision(let number): (kind, index) = (.revision, number - 1)
        case .instruction, .input, .answer: (kind, index) = (.answer, 0)
        }
    }
}

/// Tokens spent, by what they were spent on.
struct ChainUsage: Sendable, Equatable {
    var prompt = 0
    var answer = 0
    var feedback = 0
    var revision = 0
    var verdict = 0

    var completion: Int { answer + feedback + revision + verdict }
}

/// A verdict as it was committed.
struct CommittedVerdict: Sendable, Equatable {
    var isNeeded: Bool
    /// The model's probability of "needed" against "not needed".
    var probability: Double
    /// Whether the policy decided against the model.
    var isForced: Bool
}

/// Why a chain ended.
enum ChainEnd: String, Sendable {
    case stop, length, maximum, fixpoint, budget

    init(_ reason: Revising.RevisionPolicy.Reason) {
        switch reason {
        case .off, .accepted: self = .stop
        case .maximum: self = .maximum
        case .fixpoint: self = .fixpoint
        case .tokens, .time: self = .budget
        }
    }
}

/// A chain that is done.
struct ChainResult: Sendable {
    var reason = ChainEnd.stop
    /// The last draft that is whole.
    var answer = ""
    /// Every draft, the first answer first.
    var drafts: [String] = []
    /// All that was generated, headings and verdicts included.
    var generation = ""
    /// The prompt, then all that was generated.
    var wholeGeneration = ""
    /// The tokens of `generation`.
    var ids: [Int32] = []
    var usage = ChainUsage()

    var revisions: Int { max(0, drafts.count - 1) }
}

/// What happens while a chain is written, in order.
enum ChainEvent: Sendable {
    case started(Segment)
    case delta(Segment, String)
    case done(Segment, String)
    case verdict(Segment, CommittedVerdict)
    case usage(ChainUsage)
    case finished(ChainResult)
}
