import Foundation
import TestKit
import Testing
import Tokenization

/// The executable as a person calls it.
@Suite(
    .enabled(if: SharedData.isPresent && Command.isBuilt, "needs hone-inference and shared data"))
struct CommandTests {
    private struct Scored: Decodable {
        struct Candidate: Decodable {
            var id: Int
            var logprob: Double
        }
        var ids: [Int]
        var logprobs: [Double]
        var top: [[Candidate]]
    }
    private struct Story: Decodable {
        var prompt: String
        var prompt_ids: [TokenID]
        var greedy_ids: [TokenID]
        var greedy_text: String
    }
    private struct Reference: Decodable {
        struct Greedy: Decodable {
            var prompt: [Int]
            var tokens: [Int]
        }
        var input_ids: [[Int]]
        var logprob_sum_row0: Double
        var greedy: Greedy
    }
    private struct Generated: Decodable {
        var text: String
        var ids: [TokenID]
    }

    @Test(arguments: ["gqa", "tied", "llama3rope", "linear-shards-bf16"])
    func `score gives the log-probabilities of the reference`(name: String) throws {
        let folder = try SharedData.file("reference/hf/\(name)")
        let expected = try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
        let ids = expected.input_ids[0].map(String.init).joined(separator: ",")
        let run = try Command.run(["score", "--model", folder.path, "--ids", ids, "--json"])
        #expect(run.code == 0, "\(run.errors)")
        let scored = try JSONDecoder().decode(Scored.self, from: Data(run.output.utf8))
        #expect(scored.ids == expected.input_ids[0])
        #expect(scored.logprobs.count == scored.ids.count - 1)
        #expect(scored.top.count == scored.ids.count)
        #expect(scored.top.allSatisfy { $0.count == 5 })
        // A sum over some sixty places, each within 1e-5.
        #expect(abs(scored.logprobs.reduce(0, +) - expected.logprob_sum_row0) < 2e-3)
        let greedy = (expected.greedy.prompt + expected.greedy.tokens).map(String.init)
        let second = try Command.run([
            "score", "--model", folder.path, "--ids", greedy.joined(separator: ","), "--json",
        ])
        let path = try JSONDecoder().decode(Scored.self, from: Data(second.output.utf8))
        let start = expected.greedy.prompt.count - 1
        #expect(
            path.top[start..<start + expected.greedy.tokens.count].map { $0[0].id }
                == expected.greedy.tokens)
    }

    @Test func `generate tells every story of the small model, as it reads on`() throws {
        let folder = try SharedData.file("data/models/stories260K/hf").path
        let tokenizer = try Tokenizer.load(folder)
        let stories = try JSONDecoder().decode(
            [Story].self,
            from: Data(contentsOf: SharedData.file("data/models/stories260K/expected.json")))
        #expect(stories.count == 12)
        for story in stories {
            let run = try Command.run([
                "generate", "--model", folder, "--prompt", story.prompt, "--max-tokens",
                "\(story.greedy_ids.count)", "--temperature", "0", "--json",
            ])
            #expect(run.code == 0, "\(run.errors)")
            let generated = try JSONDecoder().decode(Generated.self, from: Data(run.output.utf8))
            #expect(generated.ids == story.greedy_ids)
            // The prompt and the text are one text; the reference decodes the new ids alone, and
            // so lacks the space between the two.
            #expect(
                story.prompt + generated.text
                    == tokenizer.decode(story.prompt_ids + story.greedy_ids))
            #expect(
                generated.text == story.greedy_text || generated.text == " " + story.greedy_text)
        }
    }

    @Test func `tokenize turns rows with a text into rows with ids`() throws {
        let folder = try TemporaryFolder()
        let rows = try SharedData.file("data/tokenizers/vectors/llama-sp.encode.jsonl")
        let lines = try String(decoding: Data(contentsOf: rows), as: UTF8.self)
            .split(separator: "\n").prefix(20)
        let path = folder.path + "/rows.jsonl"
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        let tokenizer = try SharedData.file("data/tokenizers/llama/tokenizer.model").path
        struct Row: Decodable {
            var id: Int
            var ids: [Int]
        }
        for special in [false, true] {
            let run = try Command.run(
                ["tokenize", "--tokenizer", tokenizer, "--jsonl", path]
                    + (special ? ["--special"] : []))
            #expect(run.code == 0, "\(run.errors)")
            let found = run.output.split(separator: "\n")
            #expect(found.count == lines.count)
            for (line, expected) in zip(found, lines) {
                let row = try JSONDecoder().decode(Row.self, from: Data(line.utf8))
                let wanted = try JSONDecoder().decode(Row.self, from: Data(expected.utf8))
                #expect(row.id == wanted.id && row.ids == (special ? [1] : []) + wanted.ids)
            }
        }
    }

    @Test func `answer writes the original's file and enforces revisions`() throws {
        let folder = try TemporaryFolder()
        let questions = folder.path + "/question.jsonl"
        let answers = folder.path + "/answer.jsonl"
        try Data(
            """
            {"question_id": 1, "text": "Tell a story.", "category": "generic"}
            {"question_id": 2, "text": "Who is Lily?", "category": "generic"}
            """.utf8
        ).write(to: URL(filePath: questions))
        let model = try SharedData.file("data/models/stories260K/hf").path
        for mode in ["strict", "selfee"] {
            let run = try Command.run([
                "answer", "--model-path", model, "--model-id", "selfee-tiny", "--question-file",
                questions, "--answer-file", answers, "--max-num-revisions", "2", "--seed", "3",
                "--mode", mode,
            ])
            #expect(run.code == 0, "\(run.errors)")
            let lines = try String(
                decoding: Data(contentsOf: URL(filePath: answers)), as: UTF8.self
            ).split(separator: "\n")
            #expect(lines.count == 2)
            struct Row: Decodable {
                var question_id: Int
                var text: String
                var whole_generation: String
                var answer_id: String
                var model_id: String
            }
            let row = try JSONDecoder().decode(Row.self, from: Data(lines[1].utf8))
            #expect(row.question_id == 2 && row.model_id == "selfee-tiny")
            #expect(row.answer_id.count == 22)
            let whole = row.whole_generation
            #expect(whole.contains("### Instruction:\nWho is Lily?\n\n### Answer:\n"))
            // The last revision has feedback after it, so that the original finds it too.
            let last = try #require(whole.range(of: "\n\n### Revision 2:\n"))
            #expect(whole[last.upperBound...].hasPrefix(row.text))
            #expect(whole[last.upperBound...].contains("\n\n### Feedback 3:\n"))
            #expect(!FileManager.default.fileExists(atPath: answers + ".part"))
        }
    }
}

/// Runs `hone-inference`, which lies beside the tests.
enum Command {
    private static let path: String = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(filePath: own ?? "").deletingLastPathComponent()
        return folder.appending(path: "hone-inference").path
    }()

    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: path) }

    static func run(
        _ arguments: [String]
    ) throws -> (code: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let folder = try TemporaryFolder()
        let errors = folder.path + "/errors"
        try Data().write(to: URL(filePath: errors))
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: output, as: UTF8.self),
            String(decoding: try Data(contentsOf: URL(filePath: errors)), as: UTF8.self)
        )
    }
}

/// A folder that vanishes with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "hone-inference-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
