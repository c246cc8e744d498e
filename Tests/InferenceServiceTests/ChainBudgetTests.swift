import Generation
import InferenceService
import Revising
import Testing
import Tokenization

/// How a chain fits into its tokens, and what it says where it does not.
struct ChainBudgetTests {
    /// Drafts and feedback that never end by themselves within a hundred tokens.
    private static let endless = ChainScript(
        draft: { "Draft \($0) " + String(repeating: "says this ", count: 60) },
        feedback: { _ in String(repeating: "It is good. ", count: 40) },
        needed: { _ in 0.4 })

    private static func needed(
        _ tokenizer: Tokenizer, _ policy: RevisionPolicy
    ) -> (least: Int?, error: GenerationError?) {
        do {
            _ = try ChainRun(policy, on: ScriptedWriter(tokenizer) { endless($0) }, tokenizer)
            return (nil, nil)
        } catch let error as GenerationError {
            guard case .badSetting(_, _, let expected) = error else { return (nil, error) }
            return (expected.split(separator: " ").compactMap { Int($0) }.first, error)
        } catch {
            return (nil, nil)
        }
    }

    @Test(arguments: 0..<3, [false, true])
    func `enforced revisions share the tokens there are`(
        vocabulary: Int, critiquesLast: Bool
    ) throws {
        let tokenizer = Vocabularies.all[vocabulary]
        var policy = RevisionPolicy(
            mode: .enforced, minimum: 3, maximumTokens: 1, stopOnFixpoint: false,
            critiquesLastDraft: critiquesLast)
        let least = try #require(Self.needed(tokenizer, policy).least)
        for budget in [least, least + 1, least + 37, least * 2, least * 4] {
            policy.maximumTokens = budget
            let run = try ChainRun(
                policy, on: ScriptedWriter(tokenizer) { Self.endless($0) }, tokenizer)
            #expect(run.result.revisions == 3, "\(budget)")
            #expect(run.result.usage.completion <= budget + 2, "\(budget)")
            #expect(run.result.reason == .budget || run.result.reason == .length, "\(budget)")
            #expect(run.shown == run.result.generation)
            let parsed = ChainText.parse(generation: run.result.generation)
            // The model may begin another revision with what its last feedback has left.
            let isWhole = parsed.rounds.count == 4 || critiquesLast && parsed.rounds.count == 5
            #expect(isWhole, "\(run.result.generation)")
            #expect(run.result.answer.hasPrefix("D"))
            if critiquesLast {
                // The original's way to find the answer drops a revision without feedback.
                #expect(run.result.generation.contains("\n\n### Feedback 4:\n"), "\(budget)")
            }
        }
    }

    @Test(arguments: 0..<3)
    func `enforced revisions share the context`(vocabulary: Int) throws {
        let tokenizer = Vocabularies.all[vocabulary]
        let prompt = tokenizer.encode(Prompt.text(instruction: "Say something.")).count
        let policy = RevisionPolicy(mode: .enforced, minimum: 2, maximum: 2, stopOnFixpoint: false)
        var budgeted = policy
        budgeted.maximumTokens = 1
        let least = try #require(Self.needed(tokenizer, budgeted).least)
        for room in [least + 2, least + 40, least * 3] {
            let model = ScriptedWriter(tokenizer, contextLength: prompt + 1 + room) {
                Self.endless($0)
            }
            let run = try ChainRun(policy, on: model, tokenizer)
            #expect(run.result.revisions == 2, "\(room)")
            #expect(run.result.reason == .length, "\(room)")
        }
    }

    @Test func `revisions that cannot fit are refused with what they need`() throws {
        let tokenizer = Vocabularies.all[0]
        let policy = RevisionPolicy(mode: .enforced, minimum: 3, maximumTokens: 9)
        let refused = Self.needed(tokenizer, policy)
        let least = try #require(refused.least)
        #expect(
            refused.error
                == .badSetting(
                    name: "the token limit", value: "9",
                    expected: "at least \(least) tokens, so that 3 revisions fit"))
        let prompt = tokenizer.encode(Prompt.text(instruction: "Say something.")).count
        #expect(throws: GenerationError.self) {
            _ = try ChainRun(
                RevisionPolicy(mode: .enforced, minimum: 3),
                on: ScriptedWriter(tokenizer, contextLength: prompt + 20) { Self.endless($0) },
                tokenizer)
        }
    }

    @Test func `a cut answer says so, whatever the policy`() throws {
        let tokenizer = Vocabularies.all[0]
        let model = ScriptedWriter(tokenizer) { Self.endless($0) }
        func reason(_ policy: RevisionPolicy, segmentTokens: Int? = nil) throws -> ChainEnd {
            try ChainRun(policy, on: model, tokenizer, segmentTokens: segmentTokens).result.reason
        }
        #expect(try reason(RevisionPolicy(mode: .off), segmentTokens: 5) == .length)
        #expect(
            try reason(
                RevisionPolicy(mode: .enforced, minimum: 1, maximum: 1, stopOnFixpoint: false),
                segmentTokens: 9) == .length)
        #expect(
            try reason(RevisionPolicy(mode: .autonomous, maximum: 0), segmentTokens: 5) == .length)
        #expect(try reason(RevisionPolicy(mode: .off, maximumTokens: 5)) == .budget)
        let short = ChainScript(
            feedback: { _ in "Fine. Revision is not needed." }, needed: { _ in 0.1 },
            feedbackGoesOn: { _ in false })
        let whole = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 1),
            on: ScriptedWriter(tokenizer) { short($0) },
            tokenizer, segmentTokens: 60)
        #expect(whole.result.reason == .stop)
    }

    @Test func `at most 0 revisions leaves the answer alone`() throws {
        let tokenizer = Vocabularies.all[0]
        let script = ChainScript(
            feedback: { _ in "Bad. Revision is needed." }, needed: { _ in 0.9 })
        let run = try ChainRun(
            RevisionPolicy(mode: .autonomous, maximum: 0),
            on: ScriptedWriter(tokenizer) { script($0) }, tokenizer)
        #expect(run.result.generation == "Draft 0 says this." && run.result.revisions == 0)
        #expect(run.done.map(\.segment.kind) == [.answer])
    }

    // MARK: feedback written anew

    /// Feedback that praises or blames as its first word was drawn.
    private static func moody(_ text: String) -> [(text: String, probability: Double)] {
        let praise = ChainScript(
            feedback: { _ in "Good work. Revision is not needed." }, needed: { _ in 0.02 },
            feedbackGoesOn: { _ in false })
        let blame = ChainScript(
            feedback: { _ in "Bad work. Revision is needed." }, needed: { _ in 0.98 })
        guard let heading = text.ranges(of: "\n\n### Feedback ").last else { return praise(text) }
        let section = text[heading.upperBound...]
        guard let line = section.firstIndex(of: "\n"), !section.contains("### Revision") else {
            return praise(text)
        }
        let body = section[section.index(after: line)...]
        if body.isEmpty { return [("Good", 0.6), ("Bad", 0.4)] }
        return body.hasPrefix("B") ? blame(text) : praise(text)
    }

    @Test func `feedback is written anew until it supports the verdict that must follow`() throws {
        let tokenizer = Vocabularies.all[0]
        var supported = 0
        for seed in 0..<12 as Range<UInt64> {
            let run = try ChainRun(
                RevisionPolicy(
                    mode: .enforced, minimum: 2, maximum: 2, stopOnFixpoint: false,
                    rollback: .feedback),
                on: ScriptedWriter(tokenizer) { Self.moody($0) }, tokenizer,
                sampling: Sampling(temperature: 0.01, seed: seed))
            #expect(run.result.revisions == 2)
            // What was given up is never seen.
            #expect(run.shown == run.result.generation)
            let parsed = ChainText.parse(generation: run.result.generation)
            #expect(parsed.irregularities.isEmpty)
            for (round, verdict) in zip(parsed.rounds, run.verdicts) {
                let feedback = try #require(round.feedback)
                #expect(verdict.isNeeded && feedback.contains("Revision is needed"))
                #expect(feedback.hasPrefix("Bad") != verdict.isForced)
                #expect(!verdict.isForced || verdict.rewritten == 3)
                if feedback.hasPrefix("Bad"), verdict.rewritten > 0 { supported += 1 }
            }
        }
        #expect(supported > 0)
    }

    @Test(arguments: 0..<3)
    func `feedback that will not change is turned round in the end`(vocabulary: Int) throws {
        let tokenizer = Vocabularies.all[vocabulary]
        let script = ChainScript(
            feedback: { _ in "Good. Revision is not needed." }, needed: { _ in 0.01 },
            feedbackGoesOn: { _ in false })
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 2, maximum: 2, rollback: .feedback),
            on: ScriptedWriter(tokenizer) { script($0) }, tokenizer)
        #expect(run.result.revisions == 2)
        #expect(run.verdicts.map(\.isForced) == [true, true])
        #expect(run.verdicts.map(\.rewritten) == [3, 3])
        #expect(run.shown == run.result.generation)
        let kept = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 2, maximum: 2),
            on: ScriptedWriter(tokenizer) { script($0) }, tokenizer)
        #expect(kept.verdicts.map(\.rewritten) == [0, 0])
        #expect(kept.result.generation == run.result.generation)
        #expect(kept.result.usage.feedback < run.result.usage.feedback)
    }
}
