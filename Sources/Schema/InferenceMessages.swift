public import Wire

/// One turn of a conversation.
public struct ChatMessage: WireMessage {
    public static let wireName = "hone.inference.ChatMessage"
    public var role = ""
    public var content = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "role", &role)
        coder.string(2, "content", &content)
    }
}

/// Who decides on revisions.
public enum RevisionMode: WireEnum {
    case off, autonomous, enforced
    case unknown(UInt64)
    public static let wireName = "hone.inference.RevisionMode"
    public static let known: [Self] = [.off, .autonomous, .enforced]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// How far the text is taken back where the policy overrules a verdict.
public enum Rollback: WireEnum {
    case verdict, feedback
    case unknown(UInt64)
    public static let wireName = "hone.inference.Rollback"
    public static let known: [Self] = [.verdict, .feedback]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// How often an answer is revised, and when that ends.
public struct RevisionPolicy: WireMessage {
    public static let wireName = "hone.inference.RevisionPolicy"
    public var mode = RevisionMode.off
    public var minimum = 0
    public var maximumTokens = 0
    public var milliseconds = 0
    public var stopOnFixpoint = false
    public var maximum: Int?
    public var threshold: Double?
    public var rollback = Rollback.verdict

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.enumeration(1, "mode", &mode)
        coder.uint(2, "minimum", &minimum)
        coder.uint(4, "maximumTokens", &maximumTokens)
        coder.uint(5, "milliseconds", &milliseconds)
        coder.bool(6, "stopOnFixpoint", &stopOnFixpoint)
        coder.uint(8, "maximum", &maximum)
        coder.f64(9, "threshold", &threshold)
        coder.enumeration(10, "rollback", &rollback)
    }
}

/// How tokens are drawn.
public struct Sampling: WireMessage {
    public static let wireName = "hone.inference.Sampling"
    public var temperature = 0.0
    public var topK = 0
    public var seed: Int?
    public var maximumTokens = 0
    public var stop: [String] = []
    public var presencePenalty = 0.0
    public var frequencyPenalty = 0.0
    public var topP: Double?

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.f64(1, "temperature", &temperature)
        coder.uint(3, "topK", &topK)
        coder.uint(4, "seed", &seed)
        coder.uint(5, "maximumTokens", &maximumTokens)
        coder.repeated(6, "stop", &stop)
        coder.f64(7, "presencePenalty", &presencePenalty)
        coder.f64(8, "frequencyPenalty", &frequencyPenalty)
        coder.f64(9, "topP", &topP)
    }
}

/// Asks for an answer: a conversation, or an instruction with its input.
public struct GenerateRequest: WireMessage {
    public static let wireName = "hone.inference.GenerateRequest"
    public var model = ""
    public var messages: [ChatMessage] = []
    public var instruction = ""
    public var input = ""
    public var policy = RevisionPolicy()
    public var sampling = Sampling()
    public var conversation = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "model", &model)
        coder.repeated(2, "messages", &messages)
        coder.string(3, "instruction", &instruction)
        coder.string(4, "input", &input)
        coder.message(5, "policy", &policy)
        coder.message(6, "sampling", &sampling)
        coder.string(7, "conversation", &conversation)
    }
}

/// What an event of an answer tells.
public enum GenerateEventKind: WireEnum {
    case unspecified, segmentStarted, delta, segmentDone, verdict, usage, finished
    case unknown(UInt64)
    public static let wireName = "hone.inference.GenerateEventKind"
    public static let known: [Self] = [
        .unspecified, .segmentStarted, .delta, .segmentDone, .verdict, .usage, .finished,
    ]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// What a segment is.
public enum SegmentKind: WireEnum {
    case answer, feedback, revision
    case unknown(UInt64)
    public static let wireName = "hone.inference.SegmentKind"
    public static let known: [Self] = [.answer, .feedback, .revision]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// Names a segment of an answer.
public struct SegmentReference: WireMessage {
    public static let wireName = "hone.inference.SegmentReference"
    public var kind = SegmentKind.answer
    public var index = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.enumeration(1, "kind", &kind)
        coder.uint(2, "index", &index)
    }
}

/// Whether a revision is needed.
public struct Verdict: WireMessage {
    public static let wireName = "hone.inference.Verdict"
    public var needed = false
    public var probability = 0.0
    public var forced = false
    public var rewritten = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.bool(1, "needed", &needed)
        coder.f64(2, "probability", &probability)
        coder.bool(3, "forced", &forced)
        coder.uint(4, "rewritten", &rewritten)
    }
}

/// Tokens spent.
public struct Usage: WireMessage {
    public static let wireName = "hone.inference.Usage"
    public var promptTokens = 0
    public var completionTokens = 0
    public var answerTokens = 0
    public var feedbackTokens = 0
    public var revisionTokens = 0
    public var verdictTokens = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.uint(1, "promptTokens", &promptTokens)
        coder.uint(2, "completionTokens", &completionTokens)
        coder.uint(3, "answerTokens", &answerTokens)
        coder.uint(4, "feedbackTokens", &feedbackTokens)
        coder.uint(5, "revisionTokens", &revisionTokens)
        coder.uint(6, "verdictTokens", &verdictTokens)
    }
}

/// One step of an answer.
public struct GenerateEvent: WireMessage {
    public static let wireName = "hone.inference.GenerateEvent"
    public var sequence = 0
    public var kind = GenerateEventKind.unspecified
    public var segment: SegmentReference?
    public var text = ""
    public var verdict: Verdict?
    public var usage: Usage?
    public var reason = ""
    public var answer = ""
    public var wholeGeneration = ""
    public var revisions = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.uint(1, "sequence", &sequence)
        coder.enumeration(2, "kind", &kind)
        coder.message(3, "segment", &segment)
        coder.string(4, "text", &text)
        coder.message(5, "verdict", &verdict)
        coder.message(6, "usage", &usage)
        coder.string(7, "reason", &reason)
        coder.string(8, "answer", &answer)
        coder.string(9, "wholeGeneration", &wholeGeneration)
        coder.uint(10, "revisions", &revisions)
    }
}
