import AugmentationService
import Chat
import Corpus
import Foundation
import Revising
import TestKit
import Testing

@Suite struct AugmenterTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
    }

    @Test func `chains and failures have the original's form`() async throws {
        try folder.write(
            """
            [{"instruction": "Grüße \\u00e9", "input": "", "output": "G", "x": 1.50},
             {"instruction": "bad", "input": "", "output": "G"},
             {"instruction": "no input", "output": "G"}]
            """, to: "tasks.jsonl")
        let plan = folder.plan(.sharegpt, .selfee)
        let summary = try await Augmenter.run(plan, MemoryTeacher(failing: ["bad"]))
        #expect(summary.made == 1)
        #expect(summary.failed == 2)
        #expect(summary.total == 3)
        #expect(
            try folder.lines("chains.jsonl") == [
                #"{"iteration_truncated": false, "instruction": "Gr\u00fc\u00dfe \u00e9", "#
                    + #""input": "", "iteration": 2, "outputs": [{"output": "G", "feedback": "#
                    + #""Score: 5. Revision is needed."}, {"output": "Better", "feedback": "#
                    + #""Score: 10. Revision is not needed."}]}"#
            ])
        #expect(
            Set(try folder.lines("failed.jsonl")) == [
                #"{"instruction": "bad", "input": "", "output": "G"}"#,
                #"{"instruction": "no input", "output": "G"}"#,
            ])
    }

    @Test func `strict records say how they were made`() async throws {
        let plan = try folder.plan(tasks: 1, .sharegpt, .strict)
        _ = try await Augmenter.run(plan, MemoryTeacher())
        let json = try JSON(parsing: try folder.text("chains.jsonl"))
        #expect(
            json["hone"]?.text()
                == #"{"mode":"strict","procedure":"sharegpt","prompts":1,"teacher":"memory","#
                + #""flags":[],"scores":[5.0,10.0],"prompt_tokens":30,"completion_tokens":6}"#)
    }

    @Test func `running again asks nothing and writes nothing`() async throws {
        let plan = try folder.plan(tasks: 20)
        _ = try await Augmenter.run(plan, MemoryTeacher())
        let before = try folder.text("chains.jsonl")
        let teacher = MemoryTeacher()
        let summary = try await Augmenter.run(plan, teacher)
        #expect(summary.found == 20)
        #expect(summary.made == 0)
        #expect(teacher.callCount == 0)
        #expect(try folder.text("chains.jsonl") == before)
    }

    @Test func `a larger limit goes on where the smaller one stopped`() async throws {
        var plan = try folder.plan(tasks: 10)
        plan.limit = 4
        #expect(try await Augmenter.run(plan, MemoryTeacher()).made == 4)
        plan.limit = nil
        let summary = try await Augmenter.run(plan, MemoryTeacher())
        #expect([summary.found, summary.made] == [4, 6] as [Int])
        #expect(Set(try folder.lines("chains.jsonl")).count == 10)
    }

    @Test func `an example whose content changed is made anew`() async throws {
        let plan = try folder.plan(tasks: 3)
        _ = try await Augmenter.run(plan, MemoryTeacher())
        let changed = try folder.text("tasks.jsonl").replacing("Task 1.", with: "Other.")
        try folder.write(changed, to: "tasks.jsonl")
        let summary = try await Augmenter.run(plan, MemoryTeacher())
        #expect([summary.found, summary.made] == [2, 1] as [Int])
    }

    @Test func `failed examples are tried again when asked, and leave the fail file`() async throws
    {
        var plan = try folder.plan(tasks: 6)
        let first = try await Augmenter.run(plan, MemoryTeacher(failing: ["Task 2", "Task 4"]))
        #expect([first.made, first.failed] == [4, 2] as [Int])
        let again = try await Augmenter.run(plan, MemoryTeacher())
        #expect([again.found, again.failed, again.made] == [4, 2, 0] as [Int])
        #expect(try folder.lines("failed.jsonl").count == 2)
        plan.retriesFailed = true
        let retried = try await Augmenter.run(plan, MemoryTeacher(failing: ["Task 4"]))
        #expect([retried.found, retried.failed, retried.made] == [4, 1, 1] as [Int])
        #expect(try folder.lines("failed.jsonl").count == 1)
        #expect(Set(try folder.lines("chains.jsonl")).count == 5)
    }

    @Test func `what a file lacks is appended from the journal`() async throws {
        let plan = try folder.plan(tasks: 8)
        try folder.write("there before\n", to: "chains.jsonl")
        _ = try await Augmenter.run(plan, MemoryTeacher())
        let whole = try folder.text("chains.jsonl")
        #expect(whole.hasPrefix("there before\n"))
        for kept in [whole.utf8.count - 1, whole.utf8.count - 100, whole.utf8.count / 2, 13] {
            try folder.write(String(whole.prefix(kept)), to: "chains.jsonl")
            let teacher = MemoryTeacher()
            _ = try await Augmenter.run(plan, teacher)
            #expect(try folder.text("chains.jsonl") == whole)
            #expect(teacher.callCount == 0)
        }
        try FileManager.default.removeItem(atPath: plan.outputPath)
        _ = try await Augmenter.run(plan, MemoryTeacher())
        #expect(try "there before\n" + folder.text("chains.jsonl") == whole)
    }

    @Test func `a file that somebody else changed is left alone`() async throws {
        let plan = try folder.plan(tasks: 4)
        _ = try await Augmenter.run(plan, MemoryTeacher())
        let whole = try folder.text("chains.jsonl")
        try folder.write(String(whole.prefix(whole.utf8.count - 50)) + "mine", to: "chains.jsonl")
        await #expect(throws: AugmentationError.self) {
            try await Augmenter.run(plan, MemoryTeacher())
        }
        #expect(try folder.text("chains.jsonl").hasSuffix("mine"))
    }

    @Test func `a journal has one user at a time`() async throws {
        let plan = try folder.plan(tasks: 1)
        let journal = try Journal(path: plan.journalPath)
        #expect(throws: AugmentationError.journalInUse(path: plan.journalPath)) {
            try Journal(path: plan.journalPath)
        }
        try journal.close()
    }

    @Test func `settings that cannot work are refused`() throws {
        var plan = try folder.plan(tasks: 1)
        plan.concurrency = 0
        #expect(throws: AugmentationError.self) { try plan.check() }
        plan.concurrency = 1
        plan.failPath = plan.outputPath
        #expect(throws: AugmentationError.self) { try plan.check() }
    }

    @Test(
        arguments: [
            ("a, b ,c", nil, ["a", "b", "c"]), (nil, "k\n", ["k"]), ("", "k", []), (nil, nil, []),
        ] as [(String?, String?, [String])])
    func `keys come from the original's environment`(
        _ many: String?, _ one: String?, _ keys: [String]
    ) {
        let values = ["OPENAI_API_KEYS": many, "OPENAI_API_KEY": one]
        #expect(TeacherKeys.keys { values[$0] ?? nil } == keys)
    }
}
