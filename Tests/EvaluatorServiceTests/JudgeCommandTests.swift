import Corpus
import Foundation
import Glibc
import Judging
import TestKit
import Testing

/// The offline commands, as the executables people run.
@Suite struct JudgeCommandTests {
    @Test func `both orders are judged, written as the original writes, and counted`() async throws
    {
        let files = try await JudgeFiles(count: 12)
        let tutor = try await ServiceProcess("hone-tutor", in: files.folder, ["--count-repeats"])
        let output = try await Executable.run("hone-evaluator", files.arguments(tutor))
        #expect(output.status == 0, "\(output.errors)")
        let summary = try JSON(parsing: output.text)
        #expect(summary["asked"]?.intValue == 24)
        #expect(summary["report"]?["win"]?.intValue == 0)
        #expect(summary["report"]?["tie"]?.intValue == 8)
        #expect(summary["report"]?["loss"]?.intValue == 16)
        #expect(summary["report"]?["flips"]?.intValue == 0)
        let text = try files.folder.text("review.jsonl")
        let rows = text.split(separator: "\n")
        #expect(rows.count == 12)
        let row = try JSON(parsing: String(rows[0]))
        #expect(
            row.objectValue?.keys == [
                "review_id", "question_id", "answer1_id", "answer2_id", "reviewer_id", "metadata",
                "text", "score",
            ])
        #expect(row["answer1_id"]?.stringValue == "a0")
        #expect(String(rows[0]) == row.text(.python))
        let again = try await Executable.run("hone-evaluator", files.arguments(tutor))
        let second = try JSON(parsing: again.text)
        #expect(second["asked"]?.intValue == 0)
        #expect(second["reused"]?.intValue == 24)
        #expect(second["report"] == summary["report"])
        #expect(try files.folder.text("review.jsonl") == text)
        let counts = try await statistics(of: tutor)
        #expect(counts["replies"]?.intValue == 24)
        let aggregate = try await Executable.run(
            "hone-evaluator",
            [
                "aggregate", "--model-first", files.path("review.jsonl"), "--opponent-first",
                files.path("review.swapped.jsonl"), "--questions", files.path("questions.jsonl"),
                "--json",
            ])
        #expect(try JSON(parsing: aggregate.text) == summary["report"])
    }

    @Test func `a kill loses no review, and none is asked for twice`() async throws {
        let files = try await JudgeFiles(count: 30)
        let tutor = try await ServiceProcess(
            "hone-tutor", in: files.folder,
            ["--count-repeats", "--fail-slow-every", "1", "--slow-milliseconds", "60"])
        let arguments = files.arguments(tutor, "--concurrency", "2")
        let path = try #require(Executable.path(of: "hone-evaluator"))
        let journal = files.path("review.jsonl.journal")
        func lines() -> Int {
            let bytes = FileManager.default.contents(atPath: journal) ?? Data()
            return bytes.count { $0 == UInt8(ascii: "\n") }
        }
        for goal in [10, 25] {
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = arguments
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            while lines() < goal, process.isRunning {
                try await Task.sleep(for: .milliseconds(5))
            }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            // On a busy machine the run may end before it is killed.
            guard process.terminationReason == .uncaughtSignal else { break }
            #expect(!FileManager.default.fileExists(atPath: files.path("review.jsonl")))
        }
        // What a kill in the middle of a write leaves.
        let handle = try FileHandle(forWritingTo: URL(filePath: journal))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(#"{"request": "ab"#.utf8))
        try handle.close()
        let kept = lines()
        #expect(kept >= 25)
        let output = try await Executable.run("hone-evaluator", arguments)
        #expect(output.status == 0, "\(output.errors)")
        let summary = try JSON(parsing: output.text)
        #expect(summary["reused"]?.intValue == kept)
        #expect(summary["asked"]?.intValue == 60 - kept)
        #expect(summary["report"]?["reviews"]?.intValue == 60)
        // Only requests in flight at a kill, two at most, may have been answered without being kept.
        let counts = try await statistics(of: tutor)
        #expect((counts["replies"]?.intValue ?? 0) <= 60 + 4)
        // Every third pair is equal answers, so its request is the same in both orders.
        #expect((counts["repeats"]?.intValue ?? 99) <= 10 + 4)
    }

    @Test func `a judge that refuses and breaks now and then is asked again`() async throws {
        let files = try await JudgeFiles(count: 10)
        let tutor = try await ServiceProcess(
            "hone-tutor", in: files.folder,
            ["--fail-429-every", "3", "--fail-cut-every", "7", "--retry-after", "0.05"])
        let output = try await Executable.run("hone-evaluator", files.arguments(tutor))
        #expect(output.status == 0, "\(output.errors)")
        #expect(try JSON(parsing: output.text)["failed"]?.intValue == 0)
    }

    @Test func `a judge that is not there ends the run with what to do`() async throws {
        let files = try await JudgeFiles(count: 2)
        let tutor = try await ServiceProcess("hone-tutor", in: files.folder)
        let arguments = files.arguments(tutor).map { $0 == "tutor" ? "gpt-x" : $0 }
        let output = try await Executable.run("hone-evaluator", arguments)
        #expect(output.status == 1)
        #expect(output.errors.contains("check the endpoint and the model's name"))
        #expect(try await Executable.run("hone-evaluator", ["judge", "-q", "x"]).status == 64)
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `real answers to the real questions are judged with the original's files`() async throws {
        let folder = try TemporaryFolder()
        let tutor = try await ServiceProcess("hone-tutor", in: folder)
        func file(_ path: String) throws -> String {
            try SharedData.file("data/selfee/" + path).path
        }
        let output = try await Executable.run(
            "hone-evaluator",
            [
                "evaluate", "-q", file("template/question.jsonl"), "-a",
                file("answer/selfee_13b_enforce_0_revisions.jsonl"), file("answer/chatgpt.jsonl"),
                "-p", file("template/prompt.jsonl"), "-r", file("template/reviewer.jsonl"),
                "-o", folder.path + "/a.jsonl", folder.path + "/b.jsonl", "--both-orders",
                "--endpoint", "http://\(tutor.address)", "--requests-per-minute", "0", "--json",
            ])
        #expect(output.status == 0, "\(output.errors)")
        let report = try JSON(parsing: output.text)["report"]
        #expect(report?["reviews"]?.intValue == 160)
        #expect(report?["failed"]?.intValue == 0)
        #expect(report?["categories"]?.objectValue?.count == 9)
        let reviews = try Review.read(folder.bytes("a.jsonl"), file: "a")
        let released = try Review.read(
            [UInt8](
                Data(
                    contentsOf: URL(
                        filePath: file("review/selfee_13b_enforce_0_revisions_vs_chatgpt.jsonl")))),
            file: "released")
        #expect(reviews.map(\.questionID) == released.map(\.questionID))
        #expect(reviews.map(\.reviewerNumber) == released.map(\.reviewerNumber))
        #expect(reviews.map(\.secondAnswerID) == released.map(\.secondAnswerID))
    }

    @Test(
        .enabled(if: SharedData.isPresent, "\(SharedData.reason)"),
        arguments: [
            ("selfee_13b_enforce_0_revisions", 98.1892, 66, 26, 68, 12),
            ("selfee_7b_enforce_3_revisions", 101.4394, 90, 16, 54, 13),
        ])
    func `the command prints the published numbers`(
        model: String, pooled: Double, win: Int, tie: Int, loss: Int, flips: Int
    ) async throws {
        let folder = try SharedData.file("data/selfee").path
        let arguments = [
            "aggregate", "--model-first", "\(folder)/review/\(model)_vs_chatgpt.jsonl",
            "--opponent-first", "\(folder)/review/chatgpt_vs_\(model).jsonl", "--json",
        ]
        let questions = ["--questions", "\(folder)/template/question.jsonl"]
        for extra in [[], questions, ["--reread"], questions + ["--reread"]] {
            let output = try await Executable.run("hone-evaluator", arguments + extra)
            let report = try JSON(parsing: output.text)
            #expect(abs((report["pooled"]?.doubleValue ?? 0) - pooled) < 5e-5)
            #expect(report["win"]?.intValue == win)
            #expect(report["tie"]?.intValue == tie)
            #expect(report["loss"]?.intValue == loss)
            #expect(report["flips"]?.intValue == flips)
            #expect(report["categories"]?.objectValue?.count == 9)
        }
    }

    @Test func `matching counts right answers by revision`() async throws {
        let folder = try TemporaryFolder()
        let expected = try folder.write(
            #"{"question_id": 1, "text": "a"}"# + "\n" + #"{"question_id": 2, "text": "b"}"#, "e")
        let answers = try folder.write(
            #"[{"question_id": 1, "text": "a\n", "drafts": ["x", "a\n"]},"#
                + #"{"question_id": 2, "text": "b", "drafts": ["b"]}]"#, "a")
        let output = try await Executable.run(
            "hone-evaluator", ["match", "--answers", answers, "--expected", expected, "--json"])
        #expect(
            output.text
                == #"{"total":2,"correct":2,"accuracyByRevision":[0.5,1.0],"meanRevisions":0.5}"#
                + "\n")
    }
}
