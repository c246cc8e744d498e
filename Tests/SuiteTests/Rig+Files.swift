import Foundation
import TestKit
import Testing

extension Rig {
    /// Runs a script in the rig's folder, which is its home, with `hone` at hand.
    @discardableResult
    func shell(_ script: String) throws -> String {
        let outcome = try Programs.run(
            URL(filePath: "/bin/bash"), ["-ec", script], in: folder, try environment())
        try #require(outcome.status == 0, Comment(rawValue: script + "\n" + outcome.text))
        return outcome.text
    }

    /// Begins a script that goes on beside the test; it has to end by itself.
    func start(_ script: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-ec", script]
        process.currentDirectoryURL = folder
        process.environment = try environment()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func environment() throws -> [String: String] {
        let hone = try #require(Programs.path).deletingLastPathComponent().path
        return [
            "HOME": folder.path, "HONE_DATA_DIRECTORY": folder.path + "/.hone",
            "PATH": hone + ":/usr/local/bin:/usr/bin:/bin",
        ]
    }

    /// Small files of our own under the names the README uses, and a model that knows nothing.
    func makeFiles() throws {
        let words = ["c b a d", "d c b a", "a c d b", "b a d c"]
        let tasks = words.map {
            #"{"instruction": "Sort: \#($0)", "input": "", "output": "b a c d"}"#
        }
        try write("[" + tasks.joined(separator: ",") + "]", "alpaca_data.json")
        try write(
            """
            [{"id": "x", "conversations": [{"from": "human", "value": "What is a cat, please?"},
              {"from": "gpt", "value": "<p>A cat is a small animal that lives with people.</p>"}]}]
            """, "sg_90k_part1.json")
        try write(
            words.enumerated().map {
                #"{"question_id": \#($0.offset + 1), "text": "Sort: \#($0.element)", "#
                    + #""category": "generic"}"# + "\n"
            }.joined(), "question.jsonl")
        try write(
            words.enumerated().map {
                #"{"question_id": \#($0.offset + 1), "text": "\#($0.element)", "#
                    + #""answer_id": "o\#($0.offset)", "model_id": "other", "metadata": {}}"# + "\n"
            }.joined(), "other.jsonl")
        try write("{\"text\": \"a b c\"}\n", "texts.jsonl")
        try makeModel("models/llama")
        try shell("cp chains-mbpp.jsonl chains-alpaca.jsonl")
    }

    /// Trains one step of a very small model on what the tutor teaches.
    func makeModel(_ path: String) throws {
        if !FileManager.default.fileExists(atPath: folder.path + "/alpaca_data.json") {
            try write(
                #"[{"instruction": "Sort: c b a d", "input": "", "output": "b a c d"}]"#,
                "alpaca_data.json")
        }
        try write(
            """
            {"model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "vocab_size": 300,
             "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
             "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
             "tie_word_embeddings": false, "hidden_act": "silu", "initializer_range": 0.08}
            """, "tiny.json")
        let tutor = try #require(try entry("tutor")["http"] as? String)
        try shell(
            """
            OPENAI_API_KEY=none hone augment --input-path alpaca_data.json \\
              --output-path chains-mbpp.jsonl --fail-path refused.jsonl --requests-per-minute 0 \\
              --endpoint \(tutor)/v1 --model tutor
            hone train --model_config tiny.json --vocabulary_size 300 --max_steps 1 \\
              --data_path chains-mbpp.jsonl --output_dir \(path) --model_max_length 512
            """)
    }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }
}
