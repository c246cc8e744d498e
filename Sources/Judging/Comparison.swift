public import Corpus

/// Two models compared by a judge that saw their answers in both orders.
///
/// Relative scores are percentages: 100 · Σ model / Σ opponent. The published number of a model is
/// the pooled one, the sums taken over both orders.
public struct Comparison: Sendable, Equatable {
    /// How often the model won, tied and lost.
    public struct Count: Sendable, Equatable {
        public var win = 0
        public var tie = 0
        public var loss = 0

        public init(win: Int = 0, tie: Int = 0, loss: Int = 0) {
            self.win = win
            self.tie = tie
            self.loss = loss
        }

        mutating func add(_ outcome: Outcome) {
            switch outcome {
            case .win: win += 1
            case .tie: tie += 1
            case .loss: loss += 1
            }
        }
    }

    /// Sums of scores, the model's and its opponent's.
    public struct Sums: Sendable, Equatable {
        public var model = 0.0
        public var opponent = 0.0

        /// In percent; nil where the opponent has nothing.
        public var relative: Double? { opponent > 0 ? 100 * model / opponent : nil }

        mutating func add(_ scores: Scores) {
            model += scores.first
            opponent += scores.second
        }
    }

    public private(set) var modelFirst = Sums()
    public private(set) var opponentFirst = Sums()
    public private(set) var reviews = Count()
    /// Each question once, by the sum of its scores in both orders.
    public private(set) var questions = Count()
    /// Questions whose winner is the one shown first, or the one shown second, in both orders.
    public private(set) var flips = 0
    /// Questions the same model won in both orders, or both orders tied.
    public private(set) var consistent = Count()
    /// Questions that one order ties and the other does not.
    public private(set) var mixed = 0
    public private(set) var categories: [String: Sums] = [:]
    public private(set) var reviewCount = 0
    /// Reviews without scores: they count for nothing else.
    public private(set) var failed = 0

    /// Adds up the reviews of both orders.
    ///
    /// - Parameters:
    ///   - modelFirst: the reviews where the model's answer was shown first.
    ///   - opponentFirst: the same questions, its opponent's answer shown first; empty where only
    ///     one order was judged.
    ///   - questions: say the categories; none, and there are no sums by category.
    public init(
        modelFirst: [Review], opponentFirst: [Review], questions: [Question] = []
    ) throws(JudgingError) {
        let ahead = try Self.byQuestion(modelFirst, file: "the reviews with the model first")
        let behind = try Self.byQuestion(opponentFirst, file: "the reviews with the opponent first")
        for review in opponentFirst where ahead[review.questionID] == nil {
            throw .unpaired(
                question: review.questionID, missingFrom: "the reviews with the model first")
        }
        var categoryOf: [Int: String] = [:]
        for question in questions { categoryOf[question.id] = question.category }
        for review in modelFirst {
            let other = behind[review.questionID]
            guard other != nil || behind.isEmpty else {
                throw .unpaired(
                    question: review.questionID, missingFrom: "the reviews with the opponent first")
            }
            add(review.scores, other?.swapped, category: categoryOf[review.questionID])
        }
        guard reviewCount > failed else { throw .noReviews(file: "the review files") }
    }

    private static func byQuestion(
        _ reviews: [Review], file: String
    ) throws(JudgingError) -> [Int: Scores] {
        var scores: [Int: Scores] = [:]
        for review in reviews
        where scores.updateValue(review.scores, forKey: review.questionID) != nil {
            throw .repeated(question: review.questionID, file: file)
        }
        return scores
    }

    /// Adds one question's scores in both orders, the model's first in each pair.
    private mutating func add(_ ahead: Scores, _ behind: Scores?, category: String?) {
        add(ahead, to: \.modelFirst, category: category)
        guard let behind else { return }
        add(behind, to: \.opponentFirst, category: category)
        guard ahead.isPresent, behind.isPresent else { return }
        questions.add(
            Outcome(of: ahead.first + behind.first, against: ahead.second + behind.second))
        switch (
            Outcome(of: ahead.first, against: ahead.second),
            Outcome(of: behind.first, against: behind.second)
        ) {
        case (.win, .loss), (.loss, .win): flips += 1
        case (let one, let two) where one == two: consistent.add(one)
        default: mixed += 1
        }
    }

    /// Adds one review, the model's score first.
    private mutating func add(
        _ scores: Scores, to sums: WritableKeyPath<Self, Sums>, category: String?
    ) {
        reviewCount += 1
        guard scores.isPresent else {
            failed += 1
            return
        }
        self[keyPath: sums].add(scores)
        if let category { categories[category, default: Sums()].add(scores) }
        reviews.add(Outcome(of: scores.first, against: scores.second))
    }
}

extension Comparison {
    /// Both orders together: the number that is published.
    public var pooled: Double? {
        Sums(
            model: modelFirst.model + opponentFirst.model,
            opponent: modelFirst.opponent + opponentFirst.opponent
        ).relative
    }

    /// The mean of the two orders' relative scores.
    public var meanOfDirections: Double? {
        guard let one = modelFirst.relative, let two = opponentFirst.relative else { return nil }
        return (one + two) / 2
    }

    /// The report as `hone evaluate aggregate --json` prints it.
    public var json: JSON {
        func number(_ value: Double?) -> JSON { value.map(JSON.double) ?? .null }
        func count(_ count: Count) -> JSON {
            ["win": .int(count.win), "tie": .int(count.tie), "loss": .int(count.loss)]
        }
        var shares = JSONObject()
        for (name, sums) in categories.sorted(by: { $0.key < $1.key }) {
            shares[name] = number(sums.relative)
        }
        return [
            "pooled": number(pooled), "modelFirst": number(modelFirst.relative),
            "opponentFirst": number(opponentFirst.relative),
            "meanOfDirections": number(meanOfDirections), "win": .int(reviews.win),
            "tie": .int(reviews.tie), "loss": .int(reviews.loss), "flips": .int(flips),
            "questions": count(questions), "consistent": count(consistent),
            "mixed": .int(mixed), "reviews": .int(reviewCount), "failed": .int(failed),
            "categories": .object(shares),
        ]
    }
}
