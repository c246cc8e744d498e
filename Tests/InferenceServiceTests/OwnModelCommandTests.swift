import Foundation
import TestKit
import Testing
import Tokenization

/// The executable with a model that every machine can make.
@Suite(.enabled(if: Command.isBuilt, "hone-inference was not built"))
struct OwnModelCommandTests {
    private struct Scored: Decodable {
        struct Candidate: Decodable {
            var id: Int
            var logprob: Double
        }
        var ids: [Int]
        var logprobs: [Double]
        var top: [[Candidate]]
    }
    private struct Generated: Decodable {
        var text: String
        var ids: [TokenID]
    }
    private struct Row: Decodable, Equatable {
        var question_id: Int
        var text: String
        var whole_generation: String
        var answer_id: String
        var model_id: String
    }
    private struct Summary: Decodable {
        struct Failure: Decodable {
            var question: String
            var cause: String
        }
        var answers: Int
        var failures: [Failure]
    }

    private let folder: TemporaryFolder
    private let model: String
    private let tokenizer = Vocabularies.all[0]

    init() throws {
        folder = try TemporaryFolder()
        model = try TinyModel.make(in: folder)
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    @Test func `score and generate agree on what is likeliest`() throws {
        let prompt = "Draft 1 says"
        let run = try Command.run([
            "generate", "--model", model, "--prompt", prompt, "--max-tokens", "6",
            "--temperature", "0", "--json",
        ])
        #expect(run.code == 0, "\(run.errors)")
        let generated = try decode(Generated.self, run.output)
        let ids = tokenizer.prefix + tokenizer.encode(prompt) + generated.ids
        let scored = try Command.run([
            "score", "--model", model, "--ids", ids.map { "\($0)" }.joined(separator: ","),
            "--top", "3", "--json",
        ])
        #expect(scored.code == 0, "\(scored.errors)")
        let scores = try decode(Scored.self, scored.output)
        #expect(scores.logprobs.count == ids.count - 1 && scores.top.count == ids.count)
        #expect(scores.logprobs.allSatisfy { $0 < 0 })
        let start = ids.count - generated.ids.count - 1
        #expect(
            scores.top[start..<ids.count - 1].map { $0[0].id } == generated.ids.map { Int($0) })
        // Text that is generated goes on where the prompt ends.
        #expect(tokenizer.decode(ids).hasSuffix(prompt + generated.text))
    }

    @Test func `a tokenizer that ends sequences does not end a prompt`() throws {
        let file = "tokenizer_config.json"
        let text = String(
            decoding: try Data(contentsOf: URL(filePath: model + "/" + file)), as: UTF8.self)
        let ending = text.replacing(/"add_eos_token":\s*false/, with: "\"add_eos_token\": true")
        let other = try TinyModel.make(in: folder, name: "ending", more: [file: ending])
        var outputs: [String] = []
        for model in [model, other] {
            let run = try Command.run([
                "generate", "--model", model, "--prompt", "Draft 1", "--max-tokens", "8",
                "--temperature", "0", "--json",
            ])
            #expect(run.code == 0, "\(run.errors)")
            outputs.append(run.output)
        }
        #expect(outputs[0] == outputs[1])
    }

    @Test func `tokenize gives ids for texts, and names the file of a bad row`() throws {
        let rows = folder.path + "/rows.jsonl"
        try Data("{\"id\": 3, \"text\": \"Draft 2 says this.\"}\n".utf8)
            .write(to: URL(filePath: rows))
        let run = try Command.run(["tokenize", "--tokenizer", model, "--jsonl", rows])
        let ids = tokenizer.encode("Draft 2 says this.").map { "\($0)" }.joined(separator: ",")
        #expect(run.code == 0 && run.output.filter { $0 != " " }.contains("\"ids\":[\(ids)]"))
        for bad in ["{\"text\": 3}\n", "{\"text\"\n", "[1]\n"] {
            try Data(bad.utf8).write(to: URL(filePath: rows))
            let failed = try Command.run(["tokenize", "--tokenizer", model, "--jsonl", rows])
            #expect(failed.code == 1 && failed.errors.contains(rows), "\(failed.errors)")
        }
        try Data([0x0A, 0x40, 0x01]).write(to: URL(filePath: model + "/cut.model"))
        let cut = try Command.run([
            "tokenize", "--tokenizer", model + "/cut.model", "--text", "a",
        ])
        #expect(cut.code == 1 && cut.errors.contains("cut.model"), "\(cut.errors)")
    }

    private func ask(
        _ questions: [(Int, String)], _ more: [String] = []
    ) throws -> (code: Int32, output: String, errors: String) {
        let lines = questions.map { "{\"question_id\": \($0), \"text\": \"\($1)\"}\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: folder.path + "/question.jsonl"))
        return try Command.run(
            [
                "answer", "--model-path", model, "--model-id", "tiny", "--question-file",
                folder.path + "/question.jsonl", "--answer-file", folder.path + "/answer.jsonl",
                "--seed", "3", "--max-num-revisions", "1", "--max-new-tokens", "120", "--json",
            ] + more)
    }

    private func rows(_ name: String = "answer.jsonl") throws -> [Row] {
        let data = try Data(contentsOf: URL(filePath: folder.path + "/" + name))
        return try data.split(separator: 0x0A).map {
            try JSONDecoder().decode(Row.self, from: Data($0))
        }
    }

    @Test func `one question too long leaves the others, and is asked again alone`() throws {
        let long = String(repeating: "long ", count: 500)
        let first = try ask([(1, "Say this."), (2, long), (3, "Say that.")])
        #expect(first.code == 1, "\(first.output)")
        #expect(first.errors.contains("1 questions have no answer"), "\(first.errors)")
        let summary = try decode(Summary.self, first.output)
        #expect(summary.answers == 2 && summary.failures.map(\.question) == ["2"])
        let before = try rows()
        #expect(before.map(\.question_id) == [1, 3])
        #expect(before.allSatisfy { $0.whole_generation.contains("\n\n### Revision 1:\n") })
        // A crash in the middle of a row leaves half of it.
        let part = folder.path + "/answer.jsonl.part"
        let kept = try Data(contentsOf: URL(filePath: part))
        try (kept + Data("{\"question_id\": 2, \"te".utf8)).write(to: URL(filePath: part))
        let second = try ask([(1, "Say this."), (2, "Say it."), (3, "Say that.")])
        #expect(second.code == 0, "\(second.errors)")
        let after = try rows()
        #expect(after.map(\.question_id) == [1, 2, 3])
        #expect(after[0] == before[0] && after[2] == before[1])
        #expect(!FileManager.default.fileExists(atPath: part))
        #expect(!FileManager.default.fileExists(atPath: part + ".settings"))
    }

    @Test func `answers of another run are not mixed in`() throws {
        let questions = [(1, "Say this."), (2, String(repeating: "long ", count: 500))]
        #expect(try ask(questions).code == 1)
        let warmer = try ask(questions, ["--temperature", "0.5"])
        #expect(warmer.code == 1)
        #expect(warmer.errors.contains("temperature was 0.7 and is 0.5"), "\(warmer.errors)")
        _ = try TinyModel.make(in: folder, seed: 6)
        let other = try ask(questions)
        #expect(other.code == 1 && other.errors.contains("model was"), "\(other.errors)")
        try FileManager.default.removeItem(atPath: folder.path + "/answer.jsonl.part.settings")
        #expect(try ask(questions).errors.contains("remove it to begin anew"))
    }

    @Test func `revisions that cannot fit end the command, not silently`() throws {
        let run = try ask([(1, "Say this.")], ["--max-new-tokens", "9"])
        #expect(run.code == 1)
        #expect(run.errors.contains("the token limit is 9; it must be at least"), "\(run.errors)")
    }

    @Test(arguments: [
        ["generate", "--model", "x", "--prompt", "a", "--temperature", "9"],
        ["generate", "--model", "x", "--prompt", "a", "--top-p", "0"],
        ["generate", "--model", "x"], ["score", "--model", "x"],
        ["answer", "--model-path", "x", "--model-id", "x"], ["tokenize", "--tokenizer", "x"],
    ])
    func `wrong usage exits with 64`(arguments: [String]) throws {
        let run = try Command.run(arguments)
        #expect(run.code == 64, "\(run.errors)")
    }

    @Test func `a missing model is named without a system's error`() throws {
        let run = try Command.run(["score", "--model", "/nowhere", "--ids", "1,2"])
        #expect(run.code == 1 && run.errors.contains("/nowhere/config.json"))
        #expect(!run.errors.contains("NSCocoa"), "\(run.errors)")
        #expect(try Command.run(["answer", "--help"]).output.contains("Example:"))
    }
}
