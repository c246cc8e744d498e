public import Corpus

/// One judge's review of one pair of answers: a row of a review file.
public struct Review: Sendable, Equatable {
    public var id: String
    public var questionID: Int
    public var firstAnswerID: String?
    public var secondAnswerID: String?
    /// The reviewer's place in its file, counted from 1, as the original writes it.
    public var reviewerNumber: Int
    public var text: String
    /// `Scores.none` where the text gives no scores.
    public var scores: Scores

    public init(
        id: String, questionID: Int, firstAnswerID: String?, secondAnswerID: String?,
        reviewerNumber: Int, text: String, scores: Scores
    ) {
        self.id = id
        self.questionID = questionID
        self.firstAnswerID = firstAnswerID
        self.secondAnswerID = secondAnswerID
        self.reviewerNumber = reviewerNumber
        self.text = text
        self.scores = scores
    }

    /// The review a judge's text makes of a judgement; scores that cannot be read are `none`.
    public init(of judgement: Judgement, id: String, text: String) {
        let reading = try? ScoreReader.read(text)
        self.init(
            id: id, questionID: judgement.questionID, firstAnswerID: judgement.firstAnswerID,
            secondAnswerID: judgement.secondAnswerID, reviewerNumber: judgement.reviewerNumber,
            text: text, scores: reading?.scores ?? .none)
    }

    /// The row as the original writes it, keys in its order.
    public var json: JSON {
        var row = JSONObject()
        row["review_id"] = .string(id)
        row["question_id"] = .int(questionID)
        if let firstAnswerID { row["answer1_id"] = .string(firstAnswerID) }
        if let secondAnswerID { row["answer2_id"] = .string(secondAnswerID) }
        row["reviewer_id"] = .int(reviewerNumber)
        row["metadata"] = .object(JSONObject())
        row["text"] = .string(text)
        row["score"] = .array([.double(scores.first), .double(scores.second)])
        return .object(row)
    }

    /// The rows of a review file.
    public static func read(_ bytes: [UInt8], file: String) throws(JudgingError) -> [Review] {
        try Rows(bytes, file: file).map { (row) throws(JudgingError) in
            guard let score = row.object["score"]?.arrayValue, score.count == 2,
                let first = score[0].doubleValue, let second = score[1].doubleValue
            else { throw row.wrong("score", "two numbers") }
            return Review(
                id: row.object["review_id"]?.stringValue ?? "",
                questionID: try row.int("question_id"),
                firstAnswerID: row.object["answer1_id"]?.stringValue,
                secondAnswerID: row.object["answer2_id"]?.stringValue,
                reviewerNumber: row.object["reviewer_id"]?.intValue ?? 0,
                text: try row.string("text"), scores: Scores(first, second))
        }
    }

    /// The review file that holds these rows.
    public static func file(of reviews: [Review]) -> [UInt8] {
        reviews.flatMap { $0.json.bytes(.python) + [UInt8(ascii: "\n")] }
    }
}

/// Short unique ids of 22 letters and digits, none of which look alike: 128 random bits.
public enum ShortID {
    private static let alphabet = Array(
        "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")

    public static func make(using generator: inout some RandomNumberGenerator) -> String {
        var number = UInt128(generator.next()) << 64 | UInt128(generator.next())
        var letters: [Character] = []
        for _ in 0..<22 {
            let (quotient, remainder) = number.quotientAndRemainder(
                dividingBy: UInt128(alphabet.count))
            letters.append(alphabet[Int(remainder)])
            number = quotient
        }
        return String(letters.reversed())
    }

    public static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return make(using: &generator)
    }
}
