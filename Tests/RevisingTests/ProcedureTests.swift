import Revising
import TestKit
import Testing

@Suite struct ProcedureTests {
    private func run(
        _ kind: AugmentationProcedure.Kind, _ mode: ChainMode, _ task: AugmentationTask,
        replies: [TeacherReply]
    ) throws -> (calls: [ChatCall], chain: AugmentedChain) {
        var procedure = try AugmentationProcedure(kind: kind, mode: mode, task: task)
        var replies = replies[...]
        var calls: [ChatCall] = []
        var step = procedure.next()
        while true {
            switch step {
            case .finished(let chain): return (calls, chain)
            case .ask(let call):
                calls.append(call)
                let reply: TeacherReply = try #require(replies.first)
                replies = replies.dropFirst()
                step = procedure.next(reply)
            }
        }
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `every transcript of the original is repeated request for request`() throws {
        let transcripts = try GoldenTranscript.all()
        #expect(transcripts.count == 18)
        for (name, golden) in transcripts {
            let word = String(name.prefix { $0 != "/" })
            let kind = try #require(AugmentationProcedure.Kind(rawValue: word))
            let task = AugmentationTask(
                instruction: golden.task.instruction, input: golden.task.input,
                output: golden.task.output)
            let (calls, chain) = try run(
                kind, .selfee, task, replies: golden.replies.map { TeacherReply($0) })
            #expect(calls.count == golden.calls.count, "\(name)")
            for (call, expected) in zip(calls, golden.calls) {
                #expect(call == expected.call, "\(name)")
            }
            #expect(chain.iterationTruncated == golden.item.iteration_truncated, "\(name)")
            #expect(chain.output == golden.item.output, "\(name)")
            #expect(chain.instruction == golden.item.instruction)
            #expect(chain.input == golden.item.input)
            #expect(chain.iteration == golden.item.iteration, "\(name)")
            #expect(
                chain.rounds
                    == golden.item.outputs.map { Round(draft: $0.output, feedback: $0.feedback) },
                "\(name)")
            #expect(chain.flags.isEmpty)
        }
    }

    @Test func `flan folds the input into the instruction`() throws {
        let task = AugmentationTask(instruction: "Add.", input: "1 2", output: "3")
        let (calls, chain) = try run(
            .flan, .selfee, task,
            replies: ["3", "Revision is not needed."].map { TeacherReply($0) })
        #expect(calls[0].messages == [ChatMessage(.user, "Add.\n1 2")])
        #expect(chain.instruction == "Add.\n1 2")
        #expect(chain.input.isEmpty)
        #expect(chain.output == "3")
    }

    @Test func `alpaca keeps the input and ends its context with a line break`() throws {
        let task = AugmentationTask(instruction: "Add.", input: "1 2")
        let (calls, chain) = try run(
            .alpaca, .selfee, task, replies: ["3", "No critique"].map { TeacherReply($0) })
        #expect(calls[0].messages == [ChatMessage(.user, "Add.\n1 2\n")])
        #expect(chain.input == "1 2")
        #expect(chain.output == nil)
    }

    @Test func `a task without the output a procedure needs is refused`() {
        #expect(throws: AugmentationProcedure.TaskError.noOutput(.flan)) {
            try AugmentationProcedure(
                kind: .flan, mode: .strict, task: AugmentationTask(instruction: "x"))
        }
    }

    @Test func `strict does not stop at an import that is not needed`() throws {
        let task = AugmentationTask(instruction: "x", output: "import pytz")
        let replies = [
            "The pytz import is not needed. Score: 7. Revision is needed.", "pass",
            "Great. No further revision is needed. Score: 10/10",
        ]
        let (_, chain) = try run(
            .sharegpt, .strict, task, replies: replies.map { TeacherReply($0) })
        #expect(chain.iteration == 2)
        #expect(chain.flags.isEmpty)
    }

    @Test func `strict adds the verdict a critic forgot and says so`() throws {
        let task = AugmentationTask(instruction: "x", output: "y")
        let replies = [
            TeacherReply("It lacks detail. Score: 6/10. You could mention that the", isCut: true),
            TeacherReply("z. This revision is shorter."),
            TeacherReply("Perfect. Score: 10/10."),
        ]
        let (_, chain) = try run(.sharegpt, .strict, task, replies: replies)
        #expect(
            chain.rounds == [
                Round(
                    draft: "y", feedback: "It lacks detail. Score: 6/10. Revision is needed."),
                Round(draft: "z.", feedback: "Perfect. Score: 10/10. Revision is not needed."),
            ])
        #expect(chain.flags == [.feedbackCut, .verdictAdded])
    }

    @Test func `strict flags a reviser that gives up, an acceptance below nine and a leak`() throws
    {
        let task = AugmentationTask(instruction: "x", output: "forty-two birds")
        let (_, left) = try run(
            .flan, .strict, task,
            replies: ["a", "Say forty-two birds. Revision is needed.", "N/A"].map {
                TeacherReply($0)
            })
        #expect(left.flags == [.goldInFeedback, .revisionNotAvailable])
        let (_, low) = try run(
            .flan, .strict, task,
            replies: ["a", "Score: 7. Revision is not needed."].map { TeacherReply($0) })
        #expect(low.flags == [.acceptedBelowNine])
    }

    @Test func `strict notes a revision equal to its parent and five drafts without acceptance`()
        throws
    {
        let task = AugmentationTask(instruction: "x", output: "same")
        var replies: [String] = []
        for _ in 0..<5 { replies += ["Bad. Revision is needed.", "same"] }
        let (calls, chain) = try run(
            .sharegpt, .strict, task, replies: replies.map { TeacherReply($0) })
        #expect(calls.count == 9)
        #expect(chain.iterationTruncated)
        #expect(chain.flags == [.fixpoint, .notAccepted])
    }
}

@Suite struct CleaningTests {
    @Test(arguments: [
        ("First. Second. This revision is short.", "\nFirst.Second."),
        ("This revision is short.", ""),
        ("A.\n\n\n", "A."),
        ("A.\nB. C.\nThis revision is better. \n \n", "A.\nB. C."),
        ("A.\nDr. Smith came. The revision is fine.", "A.\nDr. Smith came."),
        ("No revision", "No revision"),
        ("", ""),
        ("\n", ""),
    ])
    func `selfee cleaning has the original's side effects`(_ given: String, _ expected: String) {
        #expect(SelfeeCleaning.cleanRevision(given) == expected)
    }

    @Test(arguments: [
        ("I apologize for that. Better.", " Better."), ("Good. I apologize.", "Good. I apologize."),
        ("I apologize", ""),
    ])
    func `an apology before the first full stop goes`(_ given: String, _ expected: String) {
        #expect(SelfeeCleaning.dropApology(given) == expected)
    }

    @Test(arguments: [
        ("Good. Nice, but revision is needed", "Good.Revision is needed"),
        ("Good. Nice, but revision is not needed", "Good.Revision is not needed"),
        ("Nice, but revision is needed.", "Nice, but revision is needed."),
        ("Good. But no", "Good. But no"),
    ])
    func `a verdict after but is made plain`(_ given: String, _ expected: String) {
        #expect(SelfeeCleaning.normalizeVerdict(given) == expected)
    }

    @Test(arguments: [
        ("First. Second. This revision is short.", "First. Second."),
        ("I apologize for that. Better.", "Better."),
        ("This revision is short.", "This revision is short."),
        ("The word revision is kept.", "The word revision is kept."),
    ])
    func `strict cleaning keeps what is not a remark`(_ given: String, _ expected: String) {
        #expect(StrictCleaning.clean(given) == expected)
    }
}
