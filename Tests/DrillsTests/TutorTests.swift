import Drills
import Judging
import Revising
import TestKit
import Testing

@Suite struct TutorTests {
    let tutor = Tutor()

    private func chain(
        _ kind: AugmentationProcedure.Kind, _ mode: ChainMode, _ task: AugmentationTask
    ) throws -> AugmentedChain {
        var procedure = try AugmentationProcedure(kind: kind, mode: mode, task: task)
        var step = procedure.next()
        for _ in 0..<20 {
            switch step {
            case .ask(let call):
                step = procedure.next(TeacherReply(tutor.reply(to: call.messages).text))
            case .finished(let chain): return chain
            }
        }
        Issue.record("the procedure never ends")
        throw DrillError.setting(name: "steps", value: 20, expected: "fewer")
    }

    @Test(arguments: AugmentationProcedure.Kind.allCases, ChainMode.allCases)
    func `every procedure makes the whole path of a drill`(
        kind: AugmentationProcedure.Kind, mode: ChainMode
    ) throws {
        for family in DrillFamily.allCases {
            var generator = try DrillGenerator(.init(family: family, seed: 5))
            for _ in 0..<25 {
                let drill = try generator.next()
                let given = kind == .sharegpt ? drill.drafts[0] : drill.answer
                let chain = try chain(
                    kind, mode, AugmentationTask(instruction: drill.instruction, output: given))
                #expect(chain.rounds.map(\.draft) == drill.drafts, "\(drill.instruction)")
                #expect(!chain.iterationTruncated)
                #expect(
                    chain.rounds.map(\.feedback) == drill.drafts.map { drill.critique(of: $0).text }
                )
                #expect(chain.flags.isEmpty, "\(chain.flags)")
            }
        }
    }

    @Test(arguments: AugmentationProcedure.Kind.allCases, ChainMode.allCases)
    func `a task that is no drill ends by itself too`(
        kind: AugmentationProcedure.Kind, mode: ChainMode
    ) throws {
        let chain = try chain(
            kind, mode,
            AugmentationTask(
                instruction: "Give three tips for staying healthy.", input: "Keep them brief",
                output: "Eat well."))
        #expect(chain.rounds.count == 2)
        #expect(!chain.iterationTruncated)
    }

    @Test func `a judge's request about a drill is answered by the truth`() throws {
        let drill = try #require(Drill(recognizing: "Sort: c b a d"))
        let prompt = JudgePrompt.original[0]
        func scores(_ first: String, _ second: String) throws -> Scores {
            let text = try prompt.userText(
                question: drill.instruction, first: first, second: second)
            let reply = tutor.reply(to: [.init(.system, prompt.system), .init(.user, text)])
            #expect(reply.part == .judgement)
            return try ScoreReader.read(reply.text).scores
        }
        #expect(try scores("a b c d", "b c a d") == Scores(10, 3))
        #expect(try scores("b c a d", "a b c d") == Scores(3, 10))
        #expect(try scores("a b c d", "a b c d\n") == Scores(10, 10))
    }

    @Test func `other answers are judged by terms and length, in either order`() throws {
        let prompt = JudgePrompt.original[0]
        func scores(_ first: String, _ second: String) throws -> Scores {
            let text = try prompt.userText(
                question: "How do plants make sugar from light?", first: first, second: second)
            return try ScoreReader.read(tutor.reply(to: [.init(.user, text)]).text).scores
        }
        let long = "Plants make sugar from light in their leaves."
        let one = try scores(long, "No idea.")
        #expect(one.first > one.second)
        #expect(try scores("No idea.", long) == one.swapped)
    }

    @Test func `silence is answered too`() {
        #expect(!tutor.reply(to: []).text.isEmpty)
        #expect(tutor.reply(to: [.init(.user, "Hi")]).part == .answer)
    }
}
