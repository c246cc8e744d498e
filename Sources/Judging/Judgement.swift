/// One review to ask for: the two messages for the judge, and whose review it will be.
public struct Judgement: Sendable, Equatable {
    public var questionID: Int
    public var category: String
    public var firstAnswerID: String?
    public var secondAnswerID: String?
    /// The reviewer's place in its file, counted from 1; the original writes this as its id.
    public var reviewerNumber: Int
    public var system: String
    public var user: String

    public init(
        questionID: Int, category: String, firstAnswerID: String?, secondAnswerID: String?,
        reviewerNumber: Int, system: String, user: String
    ) {
        self.questionID = questionID
        self.category = category
        self.firstAnswerID = firstAnswerID
        self.secondAnswerID = secondAnswerID
        self.reviewerNumber = reviewerNumber
        self.system = system
        self.user = user
    }

    /// The judge's temperature in the original, whatever the reviewer's metadata says.
    public static let temperature = 0.2
    /// The original's model.
    public static let model = "gpt-4"

    /// The reviews that two answer files call for, in the order of the questions.
    ///
    /// - Throws: where the files do not fit one another row by row, as the original insists.
    public static func all(
        questions: [Question], first: [Answer], second: [Answer], prompts: [JudgePrompt],
        reviewers: [Reviewer]
    ) throws(JudgingError) -> [Judgement] {
        guard questions.count == first.count, questions.count == second.count else {
            throw .counts(questions: questions.count, first: first.count, second: second.count)
        }
        guard !reviewers.isEmpty else { throw .noReviewer(file: "the reviewer file") }
        var judgements: [Judgement] = []
        judgements.reserveCapacity(questions.count)
        for (index, question) in questions.enumerated() {
            let one = first[index]
            let two = second[index]
            guard one.questionID == question.id, two.questionID == question.id else {
                throw .order(
                    index: index, question: question.id, first: one.questionID,
                    second: two.questionID)
            }
            let place = Reviewer.place(for: question.category, in: reviewers)
            let prompt = try prompt(of: reviewers[place], in: prompts)
            judgements.append(
                Judgement(
                    questionID: question.id, category: question.category, firstAnswerID: one.id,
                    secondAnswerID: two.id, reviewerNumber: place + 1, system: prompt.system,
                    user: try prompt.userText(
                        question: question.text, first: one.text, second: two.text)))
        }
        return judgements
    }

    private static func prompt(
        of reviewer: Reviewer, in prompts: [JudgePrompt]
    ) throws(JudgingError) -> JudgePrompt {
        let place = reviewer.promptID - 1
        guard prompts.indices.contains(place), prompts[place].id == reviewer.promptID else {
            throw .noPrompt(id: reviewer.promptID, reviewer: reviewer.id)
        }
        return prompts[place]
    }
}

/// A judge's user message taken apart again: the question and the two answers in it.
public struct JudgedPair: Sendable, Equatable {
    public var question: String
    public var first: String
    public var second: String

    public init(question: String, first: String, second: String) {
        self.question = question
        self.first = first
        self.second = second
    }

    /// The pair in a message made by the original's template, or nil where it is another message.
    ///
    /// The marks are taken from the outside in, so an answer that holds one itself stays whole.
    public init?(recognizing text: String) {
        let opening = "[Question]\n"
        guard text.hasPrefix(opening),
            let firstStart = text.range(of: "\n\n[The Start of Assistant 1's Answer]\n"),
            let secondEnd = text.lastRange(
                of: "\n\n[The End of Assistant 2's Answer]\n\n[System]\n"),
            firstStart.upperBound <= secondEnd.lowerBound
        else { return nil }
        let answers = text[firstStart.upperBound..<secondEnd.lowerBound]
        let middle =
            "\n\n[The End of Assistant 1's Answer]\n\n[The Start of Assistant 2's Answer]\n"
        guard let between = answers.range(of: middle) else { return nil }
        question = String(text[..<firstStart.lowerBound].dropFirst(opening.count))
        first = String(answers[..<between.lowerBound])
        second = String(answers[between.upperBound...])
    }
}

extension StringProtocol {
    /// Where `mark` first stands, by its UTF-8 bytes.
    func range(of mark: String) -> Range<Index>? {
        let bytes = Array(mark.utf8)
        var start = utf8.startIndex
        while let found = utf8[start...].firstIndex(of: bytes[0]) {
            let rest = utf8[found...]
            if rest.starts(with: bytes) { return found..<utf8.index(found, offsetBy: bytes.count) }
            start = utf8.index(after: found)
        }
        return nil
    }

    /// Where `mark` last stands.
    func lastRange(of mark: String) -> Range<Index>? {
        var last: Range<Index>?
        var start = startIndex
        while let found = self[start...].range(of: mark) {
            last = found
            start = utf8.index(after: found.lowerBound)
        }
        return last
    }
}
