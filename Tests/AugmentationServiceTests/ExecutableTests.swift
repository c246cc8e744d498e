import AugmentationService
import Chat
import Corpus
import Foundation
import Glibc
import Revising
import TestKit
import Testing

/// The executable beside the tests, as a process.
private struct Command {
    static let path: String = {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = [own, CommandLine.arguments[0]].map {
            URL(filePath: $0).deletingLastPathComponent().appending(path: "hone-augmentation").path
        }
        return beside.first { FileManager.default.isExecutableFile(atPath: $0) } ?? ""
    }()
    static let isPossible = ScriptedTeacher.isPossible && !path.isEmpty
    static let reason = "python3 or hone-augmentation is not there"

    let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = URL(filePath: Self.path)
        process.arguments = arguments
        process.environment = environment
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    func wait() -> (status: Int32, output: String, errors: String) {
        let output = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let errors = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output, errors)
    }
}

@Suite(.enabled(if: Command.isPossible, "\(Command.reason)"), .serialized)
struct ExecutableTests {
    private let endpoint: ScriptedTeacher
    private let folder: Folder

    init() throws {
        endpoint = try ScriptedTeacher()
        folder = try Folder()
    }

    private func arguments(_ plan: AugmentationPlan, model: String) -> [String] {
        [
            "run", "--input-path", plan.inputPath, "--output-path", plan.outputPath,
            "--fail-path", plan.failPath, "--procedure", plan.procedure.rawValue, "--mode",
            plan.mode.rawValue, "--endpoint", endpoint.endpoint, "--model", endpoint.model(model),
            "--requests-per-minute", "0", "--concurrency", "\(plan.concurrency)", "--json",
        ]
    }

    @Test func `killed at any moment, no finished reply is lost or asked for again`() async throws {
        let plan = try folder.plan(tasks: 150, .alpaca, .strict, concurrency: 12)
        let model = "chain:2"
        let teacher = try ChatTeacher(
            ChatConfiguration(endpoint: endpoint.endpoint, model: endpoint.model(model)))
        var random = SplitMix64(seed: 7)
        var kills = 0
        for _ in 0..<8 {
            let before = try endpoint.requests().count
            if before > 700 { break }
            let command = try Command(arguments(plan, model: model))
            let goal = before + Int.random(in: 1...150, using: &random)
            while try endpoint.requests().count < goal, command.process.isRunning { usleep(500) }
            kill(command.process.processIdentifier, SIGKILL)
            _ = command.wait()
            kills += 1
            let answered = try endpoint.requests().count
            // What the journal holds must not be asked for from here on.
            let opened = try openCopy(of: plan, model: endpoint.model(model))
            let known = Set(opened.replies.values.flatMap { $0 }.map(\.request))
            let next = try Command(arguments(plan, model: model) + ["--limit", "40"])
            #expect(next.wait().status == 0)
            for request in try endpoint.requests()[answered...] {
                let call = ChatCall(
                    messages: request.body.messages.map {
                        ChatMessage($0.role == "user" ? .user : .assistant, $0.content)
                    }, maximumTokens: request.body.max_tokens ?? 0)
                #expect(!known.contains(SHA256.hexadecimal(of: teacher.request(for: call))))
                let name = try #require(
                    request.body.messages[0].content.split(separator: ".").first)
                let item = try #require(Int(name.dropFirst("Task ".count)))
                #expect(!opened.finished.keys.contains(item))
            }
        }
        #expect(kills > 0)
        let last = try Command(arguments(plan, model: model)).wait()
        #expect(last.status == 0, "\(last.errors)")
        let lines = try folder.lines("chains.jsonl")
        #expect(lines.count == 150)
        let instructions = try lines.map { try Chain(try JSON(parsing: $0)).instruction }
        #expect(Set(instructions) == Set((0..<150).map { "Task \($0)." }))
        #expect(try folder.text("failed.jsonl").isEmpty)
        // Only what was on its way at a kill may have been asked twice.
        #expect(try endpoint.requests().count <= 150 * 6 + kills * plan.concurrency)
    }

    /// What the journal of a dead process holds, read from a copy.
    private func openCopy(of plan: AugmentationPlan, model: String) throws -> Journal.Opened {
        let copy = try Folder()
        for name in ["chains.jsonl.journal", "chains.jsonl.journal-wal"] {
            let path = folder.path + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { continue }
            try FileManager.default.copyItem(atPath: path, toPath: copy.path + "/" + name)
        }
        var other = copy.plan(plan.procedure, plan.mode)
        other.inputPath = plan.inputPath
        let journal = try Journal(path: other.journalPath)
        defer {
            do { try journal.close() } catch { Issue.record(error) }
        }
        return try journal.open(other, model: model)
    }

    @Test func `the summary is JSON, and running again makes nothing`() throws {
        let plan = try folder.plan(tasks: 5, .alpaca)
        let first = try Command(arguments(plan, model: "chain:1")).wait()
        #expect(first.status == 0, "\(first.errors)")
        #expect(try number("made", in: first.output) == 5)
        #expect(try number("replies", in: first.output) == 20)
        let second = try Command(arguments(plan, model: "chain:1")).wait()
        #expect(try number("found", in: second.output) == 5)
        #expect(try number("replies", in: second.output) == 0)
    }

    private func number(_ key: String, in report: String) throws -> Int? {
        try JSON(parsing: report)[key]?.intValue
    }

    @Test func `keys of the environment are used in turn and never shown`() throws {
        let plan = try folder.plan(tasks: 4, .sharegpt)
        let command = try Command(
            arguments(plan, model: "chain:0"),
            environment: ["OPENAI_API_KEYS": "sk-one,sk-two"])
        #expect(command.wait().status == 0)
        #expect(Set(try endpoint.requests().map(\.key)) == ["sk-one", "sk-two"])
        let refused = try Command(
            arguments(try folder.plan(tasks: 6, .sharegpt), model: "status:401"),
            environment: ["OPENAI_API_KEY": "sk-one"]
        ).wait()
        #expect(refused.status == 1)
        #expect(refused.errors.contains("OPENAI_API_KEY"))
        #expect(!(refused.errors + refused.output).contains("sk-one"))
    }

    @Test func `a key from a file is used`() throws {
        try folder.write("sk-file\n", to: "key")
        try folder.write("", to: "none")
        let plan = try folder.plan(tasks: 2, .sharegpt)
        let command = try Command(
            arguments(plan, model: "chain:0"),
            environment: [
                "OPENAI_API_KEY_FILE": folder.path + "/key",
                "OPENAI_API_KEYS_FILE": folder.path + "/none",
            ])
        #expect(command.wait().status == 0)
        #expect(Set(try endpoint.requests().map(\.key)) == ["sk-file"])
    }

    @Test func `one bad key of several is told and left aside`() throws {
        let plan = try folder.plan(tasks: 9, .sharegpt)
        let outcome = try Command(
            arguments(plan, model: "refuse:sk-bad"),
            environment: ["OPENAI_API_KEYS": "sk-one,sk-bad,sk-two"]
        ).wait()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try number("failed", in: outcome.output) == 0)
        #expect(outcome.errors.contains("key 2 of 3"))
        #expect(!(outcome.errors + outcome.output).contains("sk-"))
    }

    @Test func `a run without a single chain exits with 1`() throws {
        let plan = try folder.plan(tasks: 3, .sharegpt)
        let outcome = try Command(arguments(plan, model: "status:400")).wait()
        #expect(outcome.status == 1)
        #expect(try number("failed", in: outcome.output) == 3)
        #expect(outcome.errors.contains("none of the 3 examples"))
    }

    @Test func `files that are not there are named, and nothing is left behind`() throws {
        var plan = try folder.plan(tasks: 1, .sharegpt)
        plan.inputPath = folder.path + "/nothing.jsonl"
        let noInput = try Command(arguments(plan, model: "chain:0")).wait()
        #expect(noInput.status == 1)
        #expect(noInput.errors.contains("nothing.jsonl: there is no such file"))
        plan.inputPath = folder.path + "/tasks.jsonl"
        plan.outputPath = folder.path + "/no/chains.jsonl"
        let noFolder = try Command(arguments(plan, model: "chain:0")).wait()
        #expect(noFolder.status == 1)
        #expect(noFolder.errors.contains("the folder \(folder.path)/no is not there"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["tasks.jsonl"])
    }

    @Test func `wrong usage exits with 64, help shows an example`() throws {
        #expect(try Command(["run"]).wait().status == 64)
        #expect(try Command(["run", "--help"]).wait().output.contains("hone augment --input-path"))
    }
}
