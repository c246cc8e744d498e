import FoundationEssentials
import Revising
import TestKit
import Testing

@Suite struct ChainTextTests {
    private let rounds = [
        Round(draft: "a", feedback: "f1"), Round(draft: "b", feedback: "f2"),
    ]

    @Test func `the training text is the original's`() {
        #expect(
            Prompt.text(instruction: "Do.", mode: .selfee)
                == "Below is an instruction that describes a task. Write a response that "
                + "appropriately completes the request.\n\n### Instruction:\nDo.\n\n### Answer:\n")
        #expect(
            Prompt.text(instruction: "Do.", input: "it", mode: .selfee)
                == "Below is an instruction that describes a task, paired with an input that "
                + "provides further context. Write a response that appropriately completes the "
                + "request.\n\n### Instruction:\nDo.\n\n### Input:\nit\n\n### Answer:\n")
        #expect(
            ChainText.text(of: rounds, mode: .selfee)
                == "a\n\n### Feedback 1:\nf1\n\n### Revision 1:\nb\n\n### Feedback 2:\nf2")
        #expect(ChainText.text(of: rounds, objective: .answerOnly, mode: .selfee) == "a")
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `every chain survives being written and read`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let pieces = [
            "### Feedback 1:", "### Revision 1:", "\n", "\n\n", "\\### Answer:", "word", " ", "\\",
            "### Revision 2:", "###", "é", "\r\n", "### Revision Control",
        ]
        let text = {
            (0..<Int.random(in: 0..<8, using: &random)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }.joined()
        }
        var rounds = (0..<Int.random(in: 1..<5, using: &random)).map { _ in
            Round(draft: text(), feedback: text())
        }
        if Bool.random(using: &random) { rounds[rounds.count - 1].feedback = nil }
        let parsed = ChainText.parse(generation: ChainText.text(of: rounds))
        #expect(parsed.rounds == rounds, "seed \(seed)")
        #expect(parsed.irregularities.isEmpty, "seed \(seed)")
        #expect(parsed.answer == rounds[rounds.count - 1].draft)
    }

    @Test func `a wrong number is corrected and a wrong kind is text, both are told`() {
        let parsed = ChainText.parse(
            generation: "a\n\n### Revision 1:\nb\n\n### Feedback 7:\nf\n\n### Revision 1:\nc")
        #expect(
            parsed.rounds == [
                Round(draft: "a\n\n### Revision 1:\nb", feedback: "f"), Round(draft: "c"),
            ])
        #expect(parsed.irregularities.map(\.found) == [.revision(1), .feedback(7)])
        #expect(parsed.irregularities.map(\.expected) == [.feedback(1), .feedback(1)])
    }

    @Test func `a cut revision is passed over, a finished one is the answer`() {
        let text = "a\n\n### Feedback 1:\nf\n\n### Revision 1:\nhalf"
        #expect(ChainText.parse(generation: text, isComplete: false).answer == "a")
        #expect(ChainText.parse(generation: text).answer == "half")
        #expect(ChainText.parse(generation: "half", isComplete: false).answer == "half")
    }

    @Test func `a conversation of one turn is the instruction's prompt`() {
        #expect(Prompt.text(conversation: [], instruction: "x") == Prompt.text(instruction: "x"))
        let turn = Prompt.Turn(instruction: "q", answer: "### Answer:")
        #expect(
            Prompt.text(conversation: [turn], instruction: "x", system: "s")
                == Prompt.preamble + "\n\n### Instruction:\ns\n\nq\n\n### Answer:\n\\### Answer:"
                + "\n\n### Instruction:\nx\n\n### Answer:\n")
    }
}

@Suite struct SelfeeAnswerTests {
    @Test(
        .enabled(if: SharedData.isPresent, "\(SharedData.reason)"),
        arguments: [
            "selfee_13b_enforce_0_revisions", "selfee_13b_enforce_1_revisions",
            "selfee_7b_enforce_3_revisions",
        ])
    func `every released answer is found again`(file: String) throws {
        struct Answer: Decodable {
            var whole_generation: String
            var text: String
        }
        let data = try Data(contentsOf: SharedData.file("data/selfee/answer/\(file).jsonl"))
        let answers = try ChainRow.lines(of: data).map {
            try JSONDecoder().decode(Answer.self, from: $0)
        }
        #expect(answers.count == 80)
        for answer in answers {
            #expect(SelfeeAnswer.text(in: answer.whole_generation) == answer.text)
        }
    }

    @Test(arguments: [
        ("### Answer:\nx", "x"), ("### Answer:\nx\n\n### Feedback 1:\nf", "x"),
        ("### Answer:\nx\n\n### Feedback 1:\nf\n\n### Revision 1:\ny", "x"),
        ("### Answer:\nx\n\n### Feedback 1:\nf\n\n### Revision 1:\ny\n\n### Feedback 2:\n", "y"),
        ("### Answer:\n### Revision 10:\ny\n\n### Feedback 2:\n", "0:\ny"),
    ])
    func `the original's rule is kept with its flaws`(_ whole: String, _ expected: String) {
        #expect(SelfeeAnswer.text(in: whole) == expected)
    }

    @Test func `a generation without an answer gives none`() {
        #expect(SelfeeAnswer.text(in: "hello") == nil)
    }
}

@Suite struct RevisionPolicyTests {
    private func at(_ revisions: Int, tokens: Int = 0, fixpoint: Bool = false)
        -> RevisionPolicy.Situation
    {
        .init(revisions: revisions, tokens: tokens, isFixpoint: fixpoint)
    }

    @Test func `off writes no feedback`() {
        #expect(RevisionPolicy(mode: .off).afterDraft(at(0)) == .finish(.off))
    }

    @Test func `autonomous follows the model`() {
        let policy = RevisionPolicy(minimum: 3)
        #expect(policy.afterDraft(at(0)) == .critique)
        #expect(
            policy.atVerdict(at(0), neededProbability: 0.4)
                == .init(needed: false, forced: false, finish: .accepted))
        #expect(
            policy.atVerdict(at(0), neededProbability: 0.6)
                == .init(needed: true, forced: false, finish: nil))
    }

    @Test func `enforced overrules the model below the minimum only`() {
        let policy = RevisionPolicy(mode: .enforced, minimum: 2, maximum: 3)
        #expect(
            policy.atVerdict(at(1), isNeeded: false)
                == .init(needed: true, forced: true, finish: nil))
        #expect(
            policy.atVerdict(at(1), isNeeded: true)
                == .init(needed: true, forced: false, finish: nil))
        #expect(
            policy.atVerdict(at(2), isNeeded: false)
                == .init(needed: false, forced: false, finish: .accepted))
        #expect(policy.afterDraft(at(1, fixpoint: true)) == .critique)
        #expect(policy.afterDraft(at(2, fixpoint: true)) == .finish(.fixpoint))
        #expect(policy.afterDraft(at(3)) == .finish(.maximum))
    }

    @Test func `budgets end a chain`() {
        let policy = RevisionPolicy(
            mode: .enforced, minimum: 9, maximumTokens: 100, time: .seconds(1))
        #expect(policy.afterDraft(at(0, tokens: 100)) == .finish(.tokens))
        #expect(policy.atVerdict(at(0, tokens: 100), isNeeded: true).finish == .tokens)
        let late = RevisionPolicy.Situation(revisions: 0, elapsed: .seconds(1))
        #expect(policy.afterDraft(late) == .finish(.time))
    }

    @Test func `the last draft gets feedback only when asked`() {
        let policy = RevisionPolicy(maximum: 1, critiquesLastDraft: true)
        #expect(policy.afterDraft(at(1)) == .critique)
        #expect(policy.atVerdict(at(1), isNeeded: true).finish == .maximum)
        #expect(policy.atVerdict(at(1), isNeeded: false).finish == .accepted)
    }
}
