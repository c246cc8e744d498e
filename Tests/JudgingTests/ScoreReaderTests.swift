import FoundationEssentials
import Judging
import TestKit
import Testing

@Suite struct ScoreReaderTests {
    @Test(
        arguments: [
            ("9 8.5\nGood.", 9, 8.5), ("8,9", 8, 9), ("8, 9\nBoth", 8, 9), ("9 8 \nx", 9, 8),
            ("\n\n9 8\nx", 9, 8), ("9/10 8/10\nx", 9, 8), ("9\t8", 9, 8), ("[[8,9]]", 8, 9),
            ("[[8, 9]]\nbecause", 8, 9), ("(8,9)\nbecause", 8, 9), ("**8 9**\nbecause", 8, 9),
            ("10 10\r\nEqual.", 10, 10), ("9 and 8\nGood.", 9, 8), ("9, 8.\nGood.", 9, 8),
            ("Scores: 9 8\nGood.", 9, 8), ("Rating: 9 8\nGood.", 9, 8), ("9, and 8", 9, 8),
            ("**Scores:** 9, 8.5\nGood.", 9, 8.5), ("Overall scores: 9/10 and 8/10.", 9, 8),
            ("Score: [9, 8]\nGood.", 9, 8), ("9 & 8\nGood.", 9, 8),
        ] as [(String, Double, Double)])
    func `a first line of two values is read`(text: String, first: Double, second: Double) throws {
        let reading = try ScoreReader.read(text)
        #expect(reading.scores == Scores(first, second))
        #expect(reading.form == .firstLine)
    }

    @Test(
        arguments: [
            ("The distance is (3, 7).\n\nOutput: (10, 5)", 10, 5),
            ("Work.\nThe tuple is (8, 10).", 8, 10), ("Work.\n(8,9)", 8, 9),
            ("Work.\nScores: (Assistant 1: 10, Assistant 2: 10)", 10, 10),
            ("two words\nWork.\n(7, 8)", 7, 8), ("Work.\nMy verdict: [[6,7]]", 6, 7),
            ("Work.\n(8/10, 9/10)", 8, 9),
        ] as [(String, Double, Double)])
    func `a tuple on the last line is read`(text: String, first: Double, second: Double) throws {
        let reading = try ScoreReader.read(text)
        #expect(reading.scores == Scores(first, second))
        #expect(reading.form == .lastLine)
    }

    @Test(
        arguments: [
            (
                "Points (2, 4).\nScores:\nAssistant 1: 10\nAssistant 2: 4\n\nAssistant 1 was better.",
                10, 4
            ),
            ("Assistant 1: 4/10 (wrong step)\nAssistant 2: 10/10 (right)\n\nBetter: two.", 4, 10),
            ("Assistant 1's score: 5/10 (a slip)\nAssistant 2's score: 9/10 (fine)\nEnd.", 5, 9),
            ("**Assistant 1:** 7\n**Assistant 2:** 8\nEnd.", 7, 8),
            ("Assistant 1: 7, Assistant 2: 8.5\nEnd here.", 7, 8.5),
            ("I give Assistant 1 a score of 8 and Assistant 2 a score of 10. Both tried.", 8, 10),
            ("Assistant 1: 10 (correct)\nAssistant 2: 4 (incorrect)\n\nOne is better.", 10, 4),
            ("Assistant 1 - 7 out of 10\nAssistant 2 - 6 out of 10\nEnd.", 7, 6),
            ("Assistant 1 (9/10): good.\nAssistant 2 (8/10): less so.", 9, 8),
            ("**Assistant 1** (score: 9): good. Assistant 2 [7]: poor.", 9, 7),
            (
                "Assistant 1:\n1. f(2) = 39\nAssistant 2:\n1. f(2) = 3\nAssistant 1: 9\nAssistant 2: 3\nEnd.",
                9, 3
            ),
        ] as [(String, Double, Double)])
    func `scores beside the names are read`(text: String, first: Double, second: Double) throws {
        let reading = try ScoreReader.read(text)
        #expect(reading.scores == Scores(first, second))
        #expect(reading.form == .labels)
    }

    @Test(
        arguments: [
            ("Work at (2, 4).\n\n(9, 7)\n\nThe first was better.", 9, 7),
            ("Work.\nThe scores are (9, 7).\nThe first was better.", 9, 7),
            ("Work.\nScores: 9 7\nThe first was better.", 9, 7),
            ("Work.\nFinal ratings: 9, 7.\nThe first was better.", 9, 7),
            ("Work.\n(9, 7) since it is right.\nEnd.", 9, 7),
        ] as [(String, Double, Double)])
    func `a tuple before a closing sentence is read`(
        text: String, first: Double, second: Double
    ) throws {
        let reading = try ScoreReader.read(text)
        #expect(reading.scores == Scores(first, second))
        #expect(reading.form == .earlierLine)
    }

    @Test(arguments: [
        "", "error", "Both are fine.", "nan 3", "inf 1", "9", "9 8 7", "9/5 8/5",
        "The points (2, -2) and (10, 4) are given.\nBoth did well.",
        "Assistant 1: 1. f(2) = 39\nAssistant 2: 2. f(2) = 39\nBoth right.",
        "I saw 9 and 8 of them.", "Work.\n9 8\nThe end.", "Rating 9 of 8",
        "Assistant 1: 10 units\nAssistant 2: 8 units\nEnd.", "Assistant 2: 8\nEnd.",
        "Assistant 1: 80/100\nAssistant 2: 90/100\nEnd.",
    ])
    func `what no form explains is refused`(text: String) {
        #expect(throws: JudgingError.self) { try ScoreReader.read(text) }
    }

    @Test(arguments: ["11 3", "0 5", "(39, 8)", "Assistant 1: 39\nAssistant 2: 5\nEnd."])
    func `a pair off the scale is refused with its values`(text: String) {
        #expect {
            try ScoreReader.read(text)
        } throws: { error in
            guard case JudgingError.outOfRange = error else { return false }
            return true
        }
    }

    @Test func `the original's rules keep their corners`() {
        #expect(ScoreReader.readAsOriginal("9 8.5") == Scores(9, 8.5))
        #expect(ScoreReader.readAsOriginal("8,9") == Scores(8, 9))
        #expect(ScoreReader.readAsOriginal("(8, 9)") == Scores(8, 9))
        #expect(ScoreReader.readAsOriginal("Work it out.\nOutput: (8, 9)") == Scores(8, 9))
        for text in [
            "8, 9", "9 8 ", "\n9 8", "9/10 8/10", "a b c\n(8, 9)\nend it so", "(8,9)",
            "two words\n(8, 9)",
        ] {
            #expect(ScoreReader.readAsOriginal(text) == nil, "\(text)")
        }
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"), arguments: reviewFiles)
    func `every released review gives the scores it was released with`(
        name: String, failures: Int
    ) throws {
        let reviews = try Review.read(reviewBytes(name), file: name)
        #expect(reviews.count == 80)
        var missing = 0
        for review in reviews {
            let original = ScoreReader.readAsOriginal(review.text)
            if original == nil { missing += 1 }
            let reading = try ScoreReader.read(review.text)
            #expect(reading.scores == review.scores, "\(name), question \(review.questionID)")
        }
        #expect(missing == failures)
    }
}

/// The released review files, and how many of their rows the original could not parse.
let reviewFiles: [(String, Int)] = [
    ("chatgpt_vs_selfee_13b_enforce_0_revisions", 1),
    ("selfee_13b_enforce_0_revisions_vs_chatgpt", 0),
    ("chatgpt_vs_selfee_7b_enforce_3_revisions", 2),
    ("selfee_7b_enforce_3_revisions_vs_chatgpt", 1),
]

func reviewBytes(_ name: String) throws -> [UInt8] {
    try sharedBytes("data/selfee/review/\(name).jsonl")
}

func sharedBytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: SharedData.file(path)))
}
