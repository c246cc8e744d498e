public import Corpus

/// How many answers equal the expected ones, white space around them aside, draft by draft.
public struct ExactMatch: Sendable, Equatable {
    /// Answers compared.
    public private(set) var total = 0
    /// Final answers that are right.
    public private(set) var correct = 0
    /// Entry n is the share that is right after n revisions; who stopped before keeps the last draft.
    public private(set) var accuracyByRevision: [Double] = []
    /// Revisions an answer had, on average.
    public private(set) var meanRevisions = 0.0

    /// An answer with the drafts that led to it.
    public struct Drafted: Sendable, Equatable {
        public var questionID: Int
        public var text: String
        /// From the first answer to the last revision; empty where only the answer is known.
        public var drafts: [String]

        public init(questionID: Int, text: String, drafts: [String] = []) {
            self.questionID = questionID
            self.text = text
            self.drafts = drafts
        }

        /// The rows of an answer file: `question_id`, `text` and, where known, `drafts`.
        public static func read(
            _ bytes: [UInt8], file: String
        ) throws(JudgingError) -> [Drafted] {
            try Rows(bytes, file: file).map { (row) throws(JudgingError) in
                var drafts: [String] = []
                if let given = row.object["drafts"], !given.isNull {
                    guard let texts = given.arrayValue?.map(\.stringValue),
                        texts.allSatisfy({ $0 != nil })
                    else { throw row.wrong("drafts", "an array of strings") }
                    drafts = texts.compactMap(\.self)
                }
                return Drafted(
                    questionID: try row.int("question_id"), text: try row.string("text"),
                    drafts: drafts)
            }
        }
    }

    /// - Throws: where an answer has no expected one or an expected one no answer.
    public init(answers: [Drafted], expected: [Answer]) throws(JudgingError) {
        var wanted: [Int: Substring] = [:]
        for answer in expected {
            guard wanted.updateValue(answer.text[...].trimmed(), forKey: answer.questionID) == nil
            else { throw .repeated(question: answer.questionID, file: "the expected answers") }
        }
        var rightness: [[Bool]] = []
        var seen: Set<Int> = []
        for answer in answers {
            guard seen.insert(answer.questionID).inserted else {
                throw .repeated(question: answer.questionID, file: "the answers")
            }
            guard let right = wanted[answer.questionID] else {
                throw .unpaired(question: answer.questionID, missingFrom: "the expected answers")
            }
            let drafts = answer.drafts.isEmpty ? [answer.text] : answer.drafts
            rightness.append(drafts.map { $0[...].trimmed() == right })
            if answer.text[...].trimmed() == right { correct += 1 }
        }
        for answer in expected where !seen.contains(answer.questionID) {
            throw .unpaired(question: answer.questionID, missingFrom: "the answers")
        }
        total = answers.count
        guard total > 0 else { return }
        let longest = rightness.map(\.count).max() ?? 0
        accuracyByRevision = (0..<longest).map { revision in
            let right = rightness.count { $0[min(revision, $0.count - 1)] }
            return Double(right) / Double(total)
        }
        meanRevisions = Double(rightness.reduce(0) { $0 + $1.count - 1 }) / Double(total)
    }

    public var json: JSON {
        [
            "total": .int(total), "correct": .int(correct),
            "accuracyByRevision": .array(accuracyByRevision.map(JSON.double)),
            "meanRevisions": .double(meanRevisions),
        ]
    }
}
