public import Wire

/// Asks for a comparison; files are artifacts of the data service, named by hash.
public struct EvaluationRequest: WireMessage {
    public static let wireName = "hone.evaluator.EvaluationRequest"
    public var key = ""
    public var questions = ""
    public var answersFirst = ""
    public var answersSecond = ""
    public var prompts = ""
    public var reviewers = ""
    public var endpoint = ChatEndpoint()
    public var bothOrders = false
    public var maximumTokens = 0
    public var modelName = ""
    public var opponentName = ""
    public var concurrency = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "key", &key)
        coder.string(2, "questions", &questions)
        coder.string(3, "answersFirst", &answersFirst)
        coder.string(4, "answersSecond", &answersSecond)
        coder.string(5, "prompts", &prompts)
        coder.string(6, "reviewers", &reviewers)
        coder.message(7, "endpoint", &endpoint)
        coder.bool(8, "bothOrders", &bothOrders)
        coder.uint(9, "maximumTokens", &maximumTokens)
        coder.string(10, "modelName", &modelName)
        coder.string(11, "opponentName", &opponentName)
        coder.uint(12, "concurrency", &concurrency)
    }
}

/// What the reviews say.
public struct EvaluationReport: WireMessage {
    public static let wireName = "hone.evaluator.EvaluationReport"
    public var pooled = 0.0
    public var modelFirst = 0.0
    public var opponentFirst = 0.0
    public var win = 0
    public var tie = 0
    public var loss = 0
    public var flips = 0
    public var categories: [String: Double] = [:]
    public var reviews = 0
    public var failed = 0
    public var reviewsModelFirst = ""
    public var reviewsOpponentFirst = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.f64(1, "pooled", &pooled)
        coder.f64(2, "modelFirst", &modelFirst)
        coder.f64(3, "opponentFirst", &opponentFirst)
        coder.uint(4, "win", &win)
        coder.uint(5, "tie", &tie)
        coder.uint(6, "loss", &loss)
        coder.uint(7, "flips", &flips)
        coder.map(8, "categories", &categories)
        coder.uint(9, "reviews", &reviews)
        coder.uint(10, "failed", &failed)
        coder.string(11, "reviewsModelFirst", &reviewsModelFirst)
        coder.string(12, "reviewsOpponentFirst", &reviewsOpponentFirst)
    }
}

/// Asks to count reviews; files are artifacts of the data service, named by hash.
public struct AggregateRequest: WireMessage {
    public static let wireName = "hone.evaluator.AggregateRequest"
    public var modelFirst = ""
    public var opponentFirst = ""
    public var questions = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "modelFirst", &modelFirst)
        coder.string(2, "opponentFirst", &opponentFirst)
        coder.string(3, "questions", &questions)
    }
}

/// Asks to compare with known answers; files are artifacts of the data service, named by hash.
public struct MatchRequest: WireMessage {
    public static let wireName = "hone.evaluator.MatchRequest"
    public var answers = ""
    public var expected = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "answers", &answers)
        coder.string(2, "expected", &expected)
    }
}

/// How many answers are right.
public struct MatchReport: WireMessage {
    public static let wireName = "hone.evaluator.MatchReport"
    public var total = 0
    public var correct = 0
    public var accuracyByRevision: [Double] = []
    public var meanRevisions = 0.0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.uint(1, "total", &total)
        coder.uint(2, "correct", &correct)
        coder.packed(3, "accuracyByRevision", &accuracyByRevision)
        coder.f64(4, "meanRevisions", &meanRevisions)
    }
}
