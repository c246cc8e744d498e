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

    @Test func `what a crash left out of a shared file is added by whichever run comes next`()
        async throws
    {
        let first = try folder.plan(tasks: 8)
        var second = first
        second.mode = .strict
        let teacher = MemoryTeacher(failing: ["Task 3"])
        try folder.write("there before\n", to: "chains.jsonl")
        _ = try await Augmenter.run(first, teacher)
        let whole = try folder.text("chains.jsonl")
        let failed = try folder.text("failed.jsonl")
        // The process died between the journal and the files.
        try folder.write(String(whole.dropLast(40)), to: "chains.jsonl")
        try folder.write("", to: "failed.jsonl")
        second.limit = 2
        _ = try await Augmenter.run(second, teacher)
        #expect(try folder.text("chains.jsonl").hasPrefix(whole))
        #expect(try folder.lines("chains.jsonl").count == 1 + 9)
        #expect(try folder.text("failed.jsonl") == failed)
        let both = try folder.text("chains.jsonl")
        let calls = teacher.callCount
        _ = try await Augmenter.run(first, teacher)
        #expect(try folder.text("chains.jsonl") == both)
        // Gone altogether, all of it comes back, behind what is there by then.
        try folder.write("new\n", to: "chains.jsonl")
        _ = try await Augmenter.run(second, teacher)
        let moved = "new\n" + both.dropFirst("there before\n".count)
        #expect(try folder.text("chains.jsonl") == moved)
        _ = try await Augmenter.run(first, teacher)
        #expect(try folder.text("chains.jsonl") == moved)
        #expect(teacher.callCount == calls)
        second.limit = nil
        _ = try await Augmenter.run(second, teacher)
        #expect(Set(try folder.lines("chains.jsonl")).count == 15)
        #expect(try folder.lines("failed.jsonl").count == 2)
    }

    @Test func `another fail file gets the failures again`() async throws {
        var plan = try folder.plan(tasks: 4)
        _ = try await Augmenter.run(plan, MemoryTeacher(failing: ["Task 1", "Task 2"]))
        plan.failPath = folder.path + "/other.jsonl"
        _ = try await Augmenter.run(plan, MemoryTeacher())
        #expect(try folder.text("other.jsonl") == folder.text("failed.jsonl"))
        plan.retriesFailed = true
        #expect(try await Augmenter.run(plan, MemoryTeacher()).made == 2)
        #expect(try folder.text("other.jsonl").isEmpty)
    }

    @Test func `a run is the same however its files are spelled`() async throws {
        var plan = try folder.plan(tasks: 3)
        _ = try await Augmenter.run(plan, MemoryTeacher())
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: folder.path)
        for spelled in [folder.path + "/./", folder.path + "//", link + "/"] {
            plan.inputPath = spelled + "tasks.jsonl"
            plan.outputPath = spelled + "chains.jsonl"
            plan.failPath = spelled + "failed.jsonl"
            let teacher = MemoryTeacher()
            #expect(try await Augmenter.run(plan, teacher).found == 3)
            #expect(teacher.callCount == 0)
            plan.failPath = folder.path + "/chains.jsonl"
            #expect(throws: AugmentationError.self) { try plan.check() }
            plan.outputPath = spelled + "new.jsonl"
            plan.failPath = folder.path + "/new.jsonl"
            #expect(throws: AugmentationError.self) { try plan.check() }
        }
    }

    @Test func `input that is no JSON is found before the teacher is asked`() async throws {
        var plan = try folder.plan(tasks: 50)
        try folder.write(try folder.text("tasks.jsonl") + "\n{\"instruction\": ", to: "tasks.jsonl")
        let teacher = MemoryTeacher()
        await #expect(throws: JSONError.self) { try await Augmenter.run(plan, teacher) }
        #expect(teacher.callCount == 0)
        plan.limit = 50
        #expect(try await Augmenter.run(plan, teacher).made == 50)
    }

    @Test func `half a surrogate pair fails its example alone`() async throws {
        let bad = #"{"instruction": "half \ud83d of it", "#
        try folder.write(
            "[{\"instruction\": \"a\", \"input\": \"\", \"output\": \"G\"},\n" + bad
                + "\n\"input\": \"\", \"output\": \"G\"}]", to: "tasks.json")
        var plan = folder.plan(.sharegpt, .selfee)
        plan.inputPath = folder.path + "/tasks.json"
        let summary = try await Augmenter.run(plan, MemoryTeacher())
        #expect([summary.made, summary.failed] == [1, 1] as [Int])
        #expect(
            try folder.text("failed.jsonl") == bad + " \"input\": \"\", \"output\": \"G\"}\n")
        #expect(try await Augmenter.run(plan, MemoryTeacher()).failed == 1)
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
}
