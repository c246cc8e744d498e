import Corpus
import Judging
import TestKit
import Testing

@Suite struct JudgementTests {
    let prompt = JudgePrompt(
        id: 1, system: "Be fair.",
        template: "[Question]\n{question}\n\n[The Start of Assistant 1's Answer]\n{answer_1}\n\n"
            + "[The End of Assistant 1's Answer]\n\n[The Start of Assistant 2's Answer]\n"
            + "{answer_2}\n\n[The End of Assistant 2's Answer]\n\n[System]\n{prompt}\n\n",
        defaults: ["prompt": "Rate {both}."])
    let general = Reviewer(id: "g", promptID: 1, category: "general")

    @Test func `a template is filled once, and its braces unescape`() throws {
        var prompt = prompt
        prompt.template = "{{{question}}} {answer_1}|{answer_2}|{prompt}"
        let text = try prompt.userText(question: "{q}", first: "{answer_2}", second: "b")
        #expect(text == "{{q}} {answer_2}|b|Rate {both}.")
    }

    @Test func `a template that wants what nobody gives is refused`() {
        var prompt = prompt
        prompt.template = "{question} {reference}"
        #expect(throws: JudgingError.template(name: "reference", prompt: 1)) {
            try prompt.userText(question: "q", first: "a", second: "b")
        }
    }

    @Test func `a judge's message is taken apart into what made it`() throws {
        let pair = JudgedPair(
            question: "Which?\n\n[System]\nnone", first: "A\n\nB 😀", second: "[Question]\n\n C\n")
        let text = try prompt.userText(
            question: pair.question, first: pair.first, second: pair.second)
        #expect(JudgedPair(recognizing: text) == pair)
        #expect(JudgedPair(recognizing: "Hello") == nil)
        #expect(JudgedPair(recognizing: "[Question]\nHello") == nil)
    }

    @Test func `the category chooses the reviewer, the general one stands in`() throws {
        let coding = Reviewer(id: "c", promptID: 1, category: "coding")
        let all = try Judgement.all(
            questions: [
                Question(id: 1, text: "q", category: "coding"), Question(id: 2, text: "r"),
            ],
            first: [Answer(questionID: 1, text: "a", id: "x"), Answer(questionID: 2, text: "b")],
            second: [Answer(questionID: 1, text: "c"), Answer(questionID: 2, text: "d")],
            prompts: [prompt], reviewers: [general, coding])
        #expect(all.map(\.reviewerNumber) == [2, 1])
        #expect(all.map(\.firstAnswerID) == ["x", nil])
        #expect(all[0].system == "Be fair.")
    }

    @Test func `files that do not fit are refused`() {
        let question = Question(id: 1, text: "q")
        let answer = Answer(questionID: 1, text: "a")
        #expect(throws: JudgingError.counts(questions: 1, first: 1, second: 0)) {
            try Judgement.all(
                questions: [question], first: [answer], second: [], prompts: [prompt],
                reviewers: [general])
        }
        #expect(throws: JudgingError.order(index: 0, question: 1, first: 1, second: 7)) {
            try Judgement.all(
                questions: [question], first: [answer],
                second: [Answer(questionID: 7, text: "a")], prompts: [prompt],
                reviewers: [general])
        }
        #expect(throws: JudgingError.noPrompt(id: 2, reviewer: "g")) {
            try Judgement.all(
                questions: [question], first: [answer], second: [answer], prompts: [prompt],
                reviewers: [Reviewer(id: "g", promptID: 2, category: "general")])
        }
    }

    @Test func `a review is written as the original writes it`() throws {
        let judgement = Judgement(
            questionID: 3, category: "math", firstAnswerID: "A", secondAnswerID: nil,
            reviewerNumber: 3, system: "s", user: "u")
        let review = Review(of: judgement, id: "R", text: "9 8.5\nGood “x”.")
        let row =
            #"{"review_id": "R", "question_id": 3, "answer1_id": "A", "reviewer_id": 3, "#
            + #""metadata": {}, "text": "9 8.5\nGood \u201cx\u201d.", "score": [9.0, 8.5]}"#
        #expect(review.json.text(.python) == row)
        #expect(try Review.read(Review.file(of: [review]), file: "f") == [review])
        #expect(Review(of: judgement, id: "R", text: "error").scores == .none)
    }

    @Test func `short ids are short, and differ`() {
        var generator = SplitMix64(seed: 1)
        let ids = Set((0..<100).map { _ in ShortID.make(using: &generator) })
        #expect(ids.count == 100)
        #expect(ids.allSatisfy { $0.count == 22 && $0.allSatisfy(\.isASCII) })
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `the released files make the original's eighty judgements`() throws {
        let folder = "data/selfee/"
        func file(_ path: String) throws -> [UInt8] { try sharedBytes(folder + path) }
        let all = try Judgement.all(
            questions: Question.read(file("template/question.jsonl"), file: "q"),
            first: Answer.read(file("answer/chatgpt.jsonl"), file: "a"),
            second: Answer.read(
                file("answer/selfee_13b_enforce_0_revisions.jsonl"), file: "b"),
            prompts: JudgePrompt.read(file("template/prompt.jsonl"), file: "p"),
            reviewers: Reviewer.read(file("template/reviewer.jsonl"), file: "r"))
        #expect(all.count == 80)
        var uses = [0, 0, 0]
        for judgement in all { uses[judgement.reviewerNumber - 1] += 1 }
        #expect(uses == [70, 7, 3])
        #expect(
            all.allSatisfy {
                $0.system == "You are a helpful and precise assistant for checking the quality of"
                    + " the answer." && JudgedPair(recognizing: $0.user) != nil
            })
        let reviews = try Review.read(
            reviewBytes("chatgpt_vs_selfee_13b_enforce_0_revisions"), file: "v")
        #expect(zip(all, reviews).allSatisfy { $0.firstAnswerID == $1.firstAnswerID })
        #expect(zip(all, reviews).allSatisfy { $0.reviewerNumber == $1.reviewerNumber })
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `the built-in prompts and reviewers are the original's`() throws {
        let folder = "data/selfee/template/"
        #expect(
            try JudgePrompt.read(sharedBytes(folder + "prompt.jsonl"), file: "p")
                == JudgePrompt.original)
        #expect(
            try Reviewer.read(sharedBytes(folder + "reviewer.jsonl"), file: "r")
                == Reviewer.original)
    }
}
