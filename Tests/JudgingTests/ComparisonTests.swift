import Corpus
import Judging
import TestKit
import Testing

@Suite struct ComparisonTests {
    private func review(_ question: Int, _ first: Double, _ second: Double) -> Review {
        Review(
            id: "", questionID: question, firstAnswerID: nil, secondAnswerID: nil,
            reviewerNumber: 1, text: "", scores: Scores(first, second))
    }

    @Test func `both orders are pooled, and a flip is a question whose place wins`() throws {
        let comparison = try Comparison(
            modelFirst: [review(1, 9, 6), review(2, 8, 7), review(3, 5, 5), review(4, 4, 8)],
            opponentFirst: [review(4, 8, 4), review(3, 6, 5), review(2, 8, 7), review(1, 6, 9)],
            questions: [Question(id: 1, text: "", category: "math")])
        #expect(comparison.modelFirst.model == 26)
        #expect(comparison.opponentFirst.opponent == 28)
        let pooled: Double = 100 * 51 / 54
        #expect(comparison.pooled == pooled)
        #expect(comparison.reviews == .init(win: 3, tie: 1, loss: 4))
        #expect(comparison.flips == 1)
        #expect(comparison.mixed == 1)
        #expect(comparison.consistent == .init(win: 1, tie: 0, loss: 1))
        #expect(comparison.questions == .init(win: 1, tie: 1, loss: 2))
        #expect(comparison.categories["math"]?.relative == 150)
    }

    @Test func `a review without scores counts as failed and for nothing else`() throws {
        let comparison = try Comparison(
            modelFirst: [review(1, -1, -1), review(2, 8, 4)],
            opponentFirst: [review(1, 5, 10), review(2, 4, 8)])
        #expect(comparison.failed == 1)
        #expect(comparison.reviewCount == 4)
        #expect(comparison.pooled == 200)
        #expect(comparison.reviews == .init(win: 3))
        #expect(comparison.consistent == .init(win: 1))
    }

    @Test func `one order alone is added up too`() throws {
        let comparison = try Comparison(modelFirst: [review(1, 8, 4)], opponentFirst: [])
        #expect(comparison.pooled == 200)
        #expect(comparison.opponentFirst.relative == nil)
        #expect(comparison.reviews == .init(win: 1))
        #expect(comparison.questions == .init())
    }

    @Test func `orders that do not hold the same questions are refused`() {
        #expect(throws: JudgingError.self) {
            try Comparison(modelFirst: [review(1, 5, 5)], opponentFirst: [review(2, 5, 5)])
        }
        #expect(throws: JudgingError.self) {
            try Comparison(modelFirst: [], opponentFirst: [review(1, 5, 5)])
        }
        #expect(throws: JudgingError.self) {
            try Comparison(
                modelFirst: [review(1, 5, 5), review(1, 5, 5)], opponentFirst: [review(1, 5, 5)])
        }
        #expect(throws: JudgingError.self) {
            try Comparison(modelFirst: [review(1, -1, -1)], opponentFirst: [review(1, -1, -1)])
        }
    }

    @Test(
        .enabled(if: SharedData.isPresent, "\(SharedData.reason)"),
        arguments: ["selfee_13b_enforce_0_revisions", "selfee_7b_enforce_3_revisions"],
        [false, true])
    func `the released reviews give the published numbers`(model: String, reread: Bool) throws {
        func reviews(_ name: String) throws -> [Review] {
            var reviews = try Review.read(reviewBytes(name), file: name)
            if reread {
                for place in reviews.indices {
                    reviews[place].scores = try ScoreReader.read(reviews[place].text).scores
                }
            }
            return reviews
        }
        let comparison = try Comparison(
            modelFirst: reviews("\(model)_vs_chatgpt"),
            opponentFirst: reviews("chatgpt_vs_\(model)"),
            questions: Question.read(
                sharedBytes("data/selfee/template/question.jsonl"), file: "questions"))
        let file = try JSON(parsing: sharedBytes("spec/evaluation-truth.json"))
        let truth = try #require(file["\(model)|chatgpt"])
        func close(_ value: Double?, _ wanted: JSON?, _ tolerance: Double) -> Bool {
            guard let value, let wanted = wanted?.doubleValue else { return false }
            return abs(value - wanted) <= tolerance
        }
        #expect(close(comparison.pooled, truth["pooled"], 5e-5))
        #expect(close(comparison.modelFirst.relative, truth["model_first"]?["rel"], 5e-5))
        #expect(close(comparison.opponentFirst.relative, truth["opp_first"]?["rel"], 5e-5))
        #expect(close(comparison.meanOfDirections, truth["mean_of_directions"], 5e-5))
        #expect(close(comparison.modelFirst.model, truth["model_first"]?["model_sum"], 0))
        #expect(close(comparison.opponentFirst.opponent, truth["opp_first"]?["opp_sum"], 0))
        #expect(comparison.reviews == count(truth))
        #expect(comparison.questions == count(truth["per_question_sum"]))
        #expect(comparison.consistent == count(truth["consistency"]))
        #expect(comparison.flips == truth["consistency"]?["flip"]?.intValue)
        #expect(comparison.mixed == truth["consistency"]?["mixed"]?.intValue)
        let categories = try #require(truth["per_category_pooled"]?.objectValue)
        #expect(categories.count == comparison.categories.count)
        for member in categories {
            #expect(
                close(comparison.categories[member.key]?.relative, member.value, 5.1e-3),
                "\(member.key)")
        }
        #expect(comparison.json["flips"]?.intValue == comparison.flips)
    }

    @Test func `reviews of the original's questions need no question file`() throws {
        let all = (1...80).map { review($0, 8, 4) }
        let questions = OriginalCategories.questions(of: all)
        var sizes: [String: Int] = [:]
        for question in questions { sizes[question.category, default: 0] += 1 }
        #expect(
            sizes == [
                "generic": 10, "knowledge": 10, "roleplay": 10, "common-sense": 10, "fermi": 10,
                "counterfactual": 10, "coding": 7, "math": 3, "writing": 10,
            ])
        #expect(OriginalCategories.questions(of: all.dropLast() + [review(81, 1, 1)]).isEmpty)
        #expect(OriginalCategories.questions(of: Array(all.dropLast())).isEmpty)
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `the built-in categories are those of the question file`() throws {
        let questions = try Question.read(
            sharedBytes("data/selfee/template/question.jsonl"), file: "questions")
        let own = OriginalCategories.questions(of: questions.map { review($0.id, 1, 1) })
        #expect(own.map(\.id) == questions.map(\.id))
        #expect(own.map(\.category) == questions.map(\.category))
    }

    private func count(_ json: JSON?) -> Comparison.Count {
        Comparison.Count(
            win: json?["win"]?.intValue ?? -1, tie: json?["tie"]?.intValue ?? -1,
            loss: json?["loss"]?.intValue ?? -1)
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `without its hand repairs the original would have published other numbers`() throws {
        func reviews(_ name: String) throws -> [Review] {
            try Review.read(reviewBytes(name), file: name).map {
                var review = $0
                review.scores = ScoreReader.readAsOriginal(review.text) ?? .none
                return review
            }
        }
        for (model, pooled) in [
            ("selfee_13b_enforce_0_revisions", 98.62), ("selfee_7b_enforce_3_revisions", 102.64),
        ] {
            let comparison = try Comparison(
                modelFirst: reviews("\(model)_vs_chatgpt"),
                opponentFirst: reviews("chatgpt_vs_\(model)"))
            #expect(abs((comparison.pooled ?? 0) - pooled) < 5.1e-3)
        }
    }
}
