import FoundationEssentials
import Generation
import InferenceService
import Revising
import TestKit
import Testing
import Tokenization

struct ChainDecoderTests {
    private static let phrasings = [
        "It is good. Revision is not needed.",
        "It is good. No further revisions are needed.",
        "There is no need for revision. Well done.",
        "Good! revision is not needed.\n",
        "It is good; no revision is needed",
        "Revision is not needed.",
    ]

    @Test(arguments: 0..<3, phrasings)
    func `an enforced chain overrules every phrasing of “not needed”`(
        vocabulary: Int, phrase: String
    ) throws {
        let tokenizer = Vocabularies.all[vocabulary]
        let script = ChainScript(
            feedback: { _ in phrase }, needed: { _ in 0.01 }, feedbackGoesOn: { _ in false })
        let model = ScriptedWriter(tokenizer) { script($0) }
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 3, stopOnFixpoint: false), on: model, tokenizer
        )
        #expect(run.result.revisions == 3)
        #expect(run.result.drafts == (0..<4).map { "Draft \($0) says this." })
        #expect(run.result.answer == "Draft 3 says this.")
        #expect(run.rollbacks >= 3)
        #expect(run.verdicts.map(\.isForced) == [true, true, true, false])
        #expect(run.verdicts.map(\.isNeeded) == [true, true, true, false])
        #expect(run.shown == run.result.generation)
        let parsed = ChainText.parse(generation: run.result.generation)
        #expect(parsed.rounds.map(\.draft) == run.result.drafts)
        #expect(parsed.irregularities.isEmpty)
        for round in parsed.rounds.dropLast() {
            #expect(Verdict.find(in: round.feedback ?? "")?.isNeeded == true)
        }
        #expect(Verdict.find(in: parsed.rounds.last?.feedback ?? "")?.isNeeded == false)
    }

    @Test func `a forced verdict reads exactly as the original spells it`() throws {
        let tokenizer = Vocabularies.all[0]
        let script = ChainScript(
            feedback: { _ in "Fine. No revisions are needed." }, needed: { _ in 0.2 },
            feedbackGoesOn: { _ in false })
        let model = ScriptedWriter(tokenizer) { script($0) }
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 1), on: model, tokenizer)
        #expect(
            run.result.generation == """
                Draft 0 says this.

                ### Feedback 1:
                Fine. Revision is needed.

                ### Revision 1:
                Draft 1 says this.

                ### Feedback 2:
                Fine. No revisions are needed.
                """)
        #expect(run.result.usage.verdict > 0 && run.result.reason == .stop)
    }

    @Test(arguments: 0..<3)
    func `an autonomous chain follows the probability at the verdict`(vocabulary: Int) throws {
        let tokenizer = Vocabularies.all[vocabulary]
        let script = ChainScript(
            feedback: { _ in "It is weak. Revision is needed." },
            needed: { $0 < 2 ? 0.9 : 0.3 })
        let model = ScriptedWriter(tokenizer) { script($0) }
        let run = try ChainRun(
            RevisionPolicy(mode: .autonomous, maximum: 9), on: model, tokenizer)
        #expect(run.result.revisions == 2 && run.result.reason == .stop)
        #expect(run.result.generation.hasSuffix("It is weak. Revision is not needed."))
        #expect(run.verdicts.map(\.isForced) == [false, false, false])
        if vocabulary == 0 {
            // Whole words: what the script says is what the model says.
            for (verdict, expected) in zip(run.verdicts, [0.9, 0.9, 0.3]) {
                #expect(abs(verdict.probability - expected) < 0.02)
            }
            let strict = try ChainRun(
                RevisionPolicy(mode: .autonomous, maximum: 9, threshold: 0.95), on: model,
                tokenizer)
            #expect(strict.result.revisions == 0)
        }
        let capped = try ChainRun(
            RevisionPolicy(mode: .autonomous, maximum: 1), on: model, tokenizer)
        #expect(capped.result.revisions == 1 && capped.result.reason == .maximum)
        #expect(capped.result.answer == "Draft 1 says this.")
    }

    @Test func `feedback without a verdict gets one, and an early end is replaced`() throws {
        for vocabulary in Vocabularies.all {
            let silent = ChainScript(
                feedback: { _ in "It could be better" }, needed: { _ in 0.3 },
                feedbackGoesOn: { _ in false })
            let model = ScriptedWriter(vocabulary) { silent($0) }
            let run = try ChainRun(
                RevisionPolicy(mode: .enforced, minimum: 2), on: model, vocabulary)
            #expect(run.result.revisions == 2)
            #expect(run.result.generation.contains("be better. Revision is needed.\n\n### Rev"))
            let short = ChainScript(
                feedback: { _ in "Bad. Revision is needed." }, draftsEnd: true,
                feedbackGoesOn: { _ in false })
            let ending = try ChainRun(
                RevisionPolicy(mode: .enforced, minimum: 2),
                on: ScriptedWriter(vocabulary) { short($0) }, vocabulary)
            #expect(ending.result.revisions == 2 && ending.result.reason == .stop)
            #expect(ending.result.answer == "Draft 2 says this.")
        }
    }

    @Test func `off gives the answer and nothing else`() throws {
        let tokenizer = Vocabularies.all[1]
        let script = ChainScript(feedback: { _ in "Bad. Revision is needed." })
        let model = ScriptedWriter(tokenizer) { script($0) }
        let run = try ChainRun(RevisionPolicy(mode: .off), on: model, tokenizer)
        #expect(run.result.generation == "Draft 0 says this." && run.result.reason == .stop)
        #expect(run.shown == "Draft 0 says this." && run.verdicts.isEmpty)
        #expect(run.done.map(\.text) == ["Draft 0 says this."])
    }

    @Test func `a wrong number is corrected and a fixpoint ends the chain`() throws {
        let tokenizer = Vocabularies.all[0]
        let wrong = ScriptedWriter(tokenizer) { text in
            let script = ChainScript(
                draft: { $0 < 2 ? "Draft \($0)." : "Draft 1. " },
                feedback: { _ in "Bad. Revision is needed." }, needed: { _ in 0.8 })
            return script(text).map {
                ($0.text.replacing("Feedback 1:", with: "Feedback 7:"), $0.probability)
            }
        }
        let run = try ChainRun(
            RevisionPolicy(mode: .autonomous, maximum: 9), on: wrong, tokenizer)
        #expect(run.result.generation.contains("### Feedback 1:\n"))
        #expect(!run.result.generation.contains("Feedback 7"))
        #expect(run.result.revisions == 2 && run.result.reason == .fixpoint)
    }

    @Test func `a question that speaks of verdicts and headings is left alone`() throws {
        let tokenizer = Vocabularies.all[2]
        let script = ChainScript(
            feedback: { _ in "Good. Revision is not needed." }, needed: { _ in 0.1 })
        let model = ScriptedWriter(tokenizer) { script($0) }
        let question = "Say: revision is not needed.\n\n### Feedback 1:\nRevision is not needed."
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 1), on: model, tokenizer,
            instruction: question)
        #expect(run.result.revisions == 1)
        #expect(run.result.wholeGeneration.contains("Say: revision is not needed.\n"))
    }

    @Test func `budgets and the context end a chain with a whole draft`() throws {
        let tokenizer = Vocabularies.all[0]
        let script = ChainScript(
            feedback: { _ in "Bad. Revision is needed." }, needed: { _ in 0.9 })
        func model(_ context: Int) -> ScriptedWriter {
            ScriptedWriter(tokenizer, contextLength: context) { script($0) }
        }
        let budget = try ChainRun(
            RevisionPolicy(mode: .autonomous, maximumTokens: 40), on: model(4000), tokenizer)
        #expect(budget.result.reason == .budget)
        #expect(budget.result.answer.hasPrefix("Draft ") && budget.result.answer.hasSuffix("this."))
        let prompt = tokenizer.encode(Prompt.text(instruction: "Say something.")).count
        for extra in 2...60 {
            let short = try ChainRun(
                RevisionPolicy(mode: .autonomous, maximum: 9), on: model(prompt + extra), tokenizer)
            #expect(short.result.reason == .length, "\(extra)")
            #expect(prompt + short.result.ids.count <= prompt + extra)
        }
    }

    @Test func `a stop text ends the segment and is not shown`() throws {
        let tokenizer = Vocabularies.all[1]
        let script = ChainScript(
            draft: { "Draft \($0) says STOP this." }, feedback: { _ in "Bad. Revision is needed." },
            needed: { _ in 0.9 })
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 1, maximum: 1),
            on: ScriptedWriter(tokenizer) { script($0) }, tokenizer, stops: ["STOP"])
        #expect(run.result.drafts == ["Draft 0 says ", "Draft 1 says "])
        #expect(!run.shown.contains("ST"))
    }

    @Test(.enabled(if: SharedData.isPresent, "needs LLaMA's tokenizer.model"))
    func `LLaMA's own pieces are replaced without a trace`() throws {
        let path = try SharedData.file("data/tokenizers/llama/tokenizer.model").path
        let tokenizer = try Tokenizer.load(path)
        let script = ChainScript(
            draft: { "D\($0)." },
            feedback: { $0 == 0 ? "Good. No revisions needed." : "Ok. Revision is not needed." },
            needed: { _ in 0.1 }, feedbackGoesOn: { _ in false })
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 2),
            on: ScriptedWriter(tokenizer) { script($0) }, tokenizer, instruction: "Hi")
        #expect(run.result.revisions == 2)
        #expect(run.result.generation.contains("Good. Revision is needed.\n\n### Revision 1:\nD1."))
        #expect(run.result.generation.contains("Ok. Revision is needed.\n\n### Revision 2:\nD2."))
    }
}
