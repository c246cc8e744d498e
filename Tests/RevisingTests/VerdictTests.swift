import Revising
import TestKit
import Testing

@Suite struct VerdictTests {
    @Test(arguments: [
        "Revision is not needed.", "Great job! Revision is not needed", "No revisions are needed",
        "There is no need for revision.", "No revision needed", "Revision not needed",
        "no further revision is needed", "No major revisions are needed.",
        "No other revision is needed", "no revisions are necessary", "There is no need to revise.",
        "I do not think any revisions are necessary.", "I cannot find any revision needed.",
        "The answer does not need any further revisions.",
        "Overall, this doesn't require revision.",
        "There are no significant revisions necessary in this case.",
        "\"Revision is not needed\"", "Revision isn\u{2019}t needed.", "Revision is unnecessary.",
        "The answer is perfect and there is no need for any revision.",
        "The code has a typo. Revision is needed? Revision is not needed.",
        "The answer need not be revised.", "Further revision is not required at this time.",
        "I don't believe that a revision is needed.", "No changes or revisions are needed.",
        "Revision for this answer is not needed.", "Revision is no longer needed.",
        "Neither major nor minor revision is needed.", "The answer does not need to be revised.",
    ])
    func `an acceptance is recognised`(feedback: String) throws {
        let verdict = try #require(Verdict.find(in: feedback))
        #expect(!verdict.isNeeded)
        #expect(verdict.isClear)
    }

    @Test(arguments: [
        "Revision is needed.", "The pytz import is not needed. Score: 7. Revision is needed.",
        "Therefore, a small revision is needed to fix step 4.", "Revision needed",
        "Therefore, the answer needs revision.", "The code needs to be revised.",
        "Some revisions are needed to make it more accurate.", "So, \"Revision is needed\".",
        "No imports are missing, but revision is needed.",
        "Overall, the answer requires a few revisions.", "It should be revised.",
        "Revision is not needed in part one. However, overall revision is needed.",
        "Revision may be needed.", "The answer needs some revision to be complete.",
    ])
    func `a demand is recognised`(feedback: String) throws {
        let verdict = try #require(Verdict.find(in: feedback))
        #expect(verdict.isNeeded)
        #expect(verdict.isClear)
    }

    @Test(arguments: [
        "The pytz import is not needed.", "The revised answer is excellent. Score: 10/10.", "",
        "State whether or not revision is needed", "If revision is needed, tell me.",
        "There is no need for a loop here.", "More detail is needed.",
    ])
    func `what is no verdict gives none`(feedback: String) {
        #expect(Verdict.find(in: feedback) == nil)
    }

    @Test(arguments: [
        ("You should revise the lambda.", true), ("Revision is recommended.", true),
        ("I have no revisions and score this with a 10.", false),
        ("No further changes are necessary.", false), ("There is no critique.", false),
    ])
    func `a hint is told from a clear verdict`(_ feedback: String, _ isNeeded: Bool) throws {
        let verdict = try #require(Verdict.find(in: feedback))
        #expect(verdict.isNeeded == isNeeded)
        #expect(!verdict.isClear)
    }

    @Test(arguments: [
        ("Good. Revision is not needed.", "Good. Revision is needed."),
        ("Good. Therefore, no further revision is needed!", "Good. Therefore, Revision is needed!"),
        ("There is no need for revision.", "Revision is needed."),
        ("Fine, and I do not think any revisions are necessary.", "Fine, and Revision is needed."),
        ("Good", "Good. Revision is needed."), ("", "Revision is needed."),
    ])
    func `a verdict is rewritten in place`(_ given: String, _ expected: String) {
        #expect(Verdict.rewrite(given, needed: true) == expected)
    }

    @Test func `the choice is due after the stem alone`() {
        #expect(Verdict.isDue(after: "Good. Score: 9. Revision is"))
        #expect(Verdict.isDue(after: "Good. revision is "))
        #expect(!Verdict.isDue(after: "Good. Revision is needed"))
        #expect(!Verdict.isDue(after: "is"))
        #expect(!Verdict.isDue(after: "subrevision is"))
    }

    @Test func `the original's stop test is blind to position`() {
        #expect(SelfeeVerdict.stops("The import is not needed. Revision is needed."))
        #expect(SelfeeVerdict.stops("NO NEED to revise"))
        #expect(!SelfeeVerdict.stops("No further revision is needed."))
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `nearly all real feedbacks have a verdict that agrees with the chain`() throws {
        var clear = 0
        var hinted = 0
        var none = 0
        var demandsInTheMiddle = 0
        var acceptancesInTheMiddle = 0
        for row in try ChainRow.mbpp() {
            for (index, pair) in row.outputs.enumerated() {
                guard let verdict = Verdict.find(in: pair.feedback) else {
                    none += 1
                    continue
                }
                if verdict.isClear { clear += 1 } else { hinted += 1 }
                guard index + 1 < row.outputs.count else { continue }
                if verdict.isNeeded { demandsInTheMiddle += 1 } else { acceptancesInTheMiddle += 1 }
            }
        }
        // Read one by one: the 60 without a verdict are cut or give none, and the 16 acceptances
        // in the middle are the original's missed stops.
        #expect([clear, hinted, none] == [1363, 10, 60])
        #expect([demandsInTheMiddle, acceptancesInTheMiddle] == [390, 16])
    }
}

@Suite struct ScoreTests {
    @Test(arguments: [
        ("Score: 8/10", 8.0), ("I would rate this answer 7 out of 10.", 7), ("Score: 9.5.", 9.5),
        ("score of 10", 10), ("Score of 8 out of 10. Later Score: 9", 9), ("(Score: 6)", 6),
        ("I would give it a score of 10 out of 10, as 3 cases pass", 10),
    ])
    func `a score is read`(_ feedback: String, _ expected: Double) {
        #expect(Score.find(in: feedback) == expected)
    }

    @Test(arguments: [
        "", "There are 3 errors.", "score of less than 9 should be revised", "25/100",
    ])
    func `no score is made up`(feedback: String) {
        #expect(Score.find(in: feedback) == nil)
    }
}
