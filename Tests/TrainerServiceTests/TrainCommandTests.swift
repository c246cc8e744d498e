import Corpus
import FoundationEssentials
import Glibc
import Llama
import Tensors
import TestKit
import Testing
import Tokenization

/// `hone-trainer train` and `diff` as people run them.
@Suite(.enabled(if: Executable.path(of: "hone-trainer") != nil, "hone-trainer was not built"))
struct TrainCommandTests {
    private let folder: TemporaryFolder
    private let base: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        base = try Fixture.model(in: folder)
        data = try folder.write(Fixture.lines(Fixture.chains()), "chains.jsonl")
    }

    private func arguments(_ output: String, _ more: [String] = []) -> [String] {
        [
            "train", "--model_name_or_path", base, "--data_path", data, "--output_dir",
            folder.path + "/" + output, "--per_device_train_batch_size", "4",
            "--learning_rate", "3e-3", "--threads", "1",
        ] + more
    }

    private func files(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path + "/" + name).sorted()
    }

    /// The lines of a run's log: steps, which count from 1 without a gap, and losses.
    private func losses(_ output: String) throws -> [Double] {
        let lines = try folder.text(output + "/loss.jsonl").split(separator: "\n")
        return try lines.enumerated().map { index, line in
            guard case .object(let record) = try JSON(parsing: String(line)) else { return .nan }
            #expect(record["step"]?.intValue == index + 1)
            return try #require(record["loss"]?.doubleValue)
        }
    }

    @Test func `a run lowers the loss, draws it and leaves a model`() async throws {
        let output = try await Executable.run(
            "hone-trainer",
            arguments(
                "run",
                [
                    "--max_steps", "40", "--save_steps", "8", "--save_total_limit", "2",
                    "--warmup_ratio", "0.1", "--json",
                ]))
        #expect(output.status == 0, "\(output.errors)")
        #expect(
            try files("run") == [
                "checkpoint-32", "checkpoint-40", "config.json", "generation_config.json",
                "loss.jsonl", "loss.svg", "model.safetensors", "tokenizer.json",
                "tokenizer_config.json",
            ])
        let losses = try losses("run")
        #expect(losses.count == 40)
        let (first, last) = (losses[0], losses.suffix(4).reduce(0, +) / 4)
        #expect(last < first * 0.6, "\(first) → \(last)")
        let picture = try folder.text("run/loss.svg")
        #expect(picture.hasPrefix("<svg ") && picture.contains("polyline"))
        guard case .object(let result) = try JSON(parsing: output.text) else {
            Issue.record("no JSON object: \(output.text)")
            return
        }
        #expect(result["steps"]?.intValue == 40)
        #expect(result["sequences"]?.intValue == 12)
        #expect(result["truncated"]?.intValue == 0)
        let model = folder.path + "/run"
        let weights = try LlamaWeights(folder: URL(filePath: model))
        #expect(weights.configuration.vocabularySize == 100)
        #expect(try Tokenizer.load(model).padID == 99)
    }

    @Test func `a killed run goes on and ends with the same bits`() async throws {
        let more = ["--max_steps", "400", "--save_steps", "10"]
        let whole = try await Executable.run("hone-trainer", arguments("whole", more))
        #expect(whole.status == 0, "\(whole.errors)")
        for step in [10, 40] {
            let run = try RunningExecutable("hone-trainer", arguments("cut", more))
            let checkpoint = folder.path + "/cut/checkpoint-\(step)"
            #expect(try await run.wait(for: checkpoint), "no \(checkpoint)")
            run.end(SIGKILL)
            #expect(try !files("cut").contains("model.safetensors"), "it ended before the kill")
        }
        let rest = try await Executable.run("hone-trainer", arguments("cut", more))
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(rest.errors.contains("going on after step"))
        #expect(
            try folder.bytes("cut/model.safetensors") == folder.bytes("whole/model.safetensors"))
        #expect(try losses("cut") == losses("whole"))
        #expect(try files("cut") == files("whole"))
    }

    @Test func `another run's checkpoint is refused`() async throws {
        let more = ["--max_steps", "4", "--save_steps", "2"]
        _ = try await Executable.run("hone-trainer", arguments("run", more))
        let other = try await Executable.run(
            "hone-trainer", arguments("run", more + ["--learning_rate", "1e-4"]))
        #expect(other.status == 1)
        #expect(other.errors.contains("checkpoint-4"))
        // What differs is named, and nothing else.
        #expect(other.errors.contains("learningRate 0.003, not 0.0001"), "\(other.errors)")
        #expect(!other.errors.contains("weightDecay"))
    }

    @Test func `selfee runs of a llama path leave a tokenizer that begins the same way`()
        async throws
    {
        let base = try Fixture.model(in: folder, name: "llama")
        var flags = arguments("run", ["--max_steps", "1", "--mode", "selfee"])
        flags[2] = base
        let output = try await Executable.run("hone-trainer", flags)
        #expect(output.status == 0, "\(output.errors)")
        let tokenizer = try Tokenizer.load(folder.path + "/run")
        #expect(tokenizer.bosID == 2)
        #expect(tokenizer.eosID == 2)
        #expect(tokenizer.unknownID == 2)
        let configuration = try LlamaConfiguration(folder: URL(filePath: folder.path + "/run"))
        #expect(configuration.beginToken == 2)
        let words = try folder.text("run/tokenizer_config.json")
        #expect(words.contains("\"unk_token\"") && !words.contains("<unk>"), "\(words)")
    }

    @Test(arguments: [
        (["--training_objective", "faf"], "full or answer-only"),
        (["--learning_rate", "0"], "--learning_rate"),
        (["--save_strategy", "best"], "no, steps or epoch"),
        (["--max_steps", "-2"], "--max_steps"),
        (["--gradient_checkpointing", "perhaps"], "--gradient_checkpointing"),
        (["--bf16", "perhaps"], "--bf16"),
    ])
    func `flags that cannot be used are wrong usage`(
        flags: [String], message: String
    ) async throws {
        let output = try await Executable.run("hone-trainer", arguments("run", flags))
        #expect(output.status == 64)
        #expect(output.errors.contains(message), "\(output.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    @Test(arguments: ["yes", "1", "True", "on", "no", "0", "False"])
    func `yes and no are read as the original's command lines spell them`(
        word: String
    ) async throws {
        let output = try await Executable.run(
            "hone-trainer",
            arguments("run", ["--max_steps", "1", "--gradient_checkpointing", word]))
        #expect(output.status == 0, "\(output.errors)")
    }

    @Test(arguments: [
        (["--model_name_or_path", "/nowhere"], "/nowhere is no model folder"),
        (["--data_path", "/nowhere.jsonl"], "/nowhere.jsonl"),
        (["--model_max_length", "8"], "raise --model_max_length"),
        (["--model_config", "/nowhere.json"], "/nowhere.json does not exist"),
    ])
    func `settings that cannot be met are named`(flags: [String], message: String) async throws {
        let output = try await Executable.run("hone-trainer", arguments("run", flags))
        #expect(output.status == 1)
        #expect(output.errors.contains(message), "\(output.errors)")
        #expect(!output.errors.contains("NSCocoa"), "\(output.errors)")
        #expect(output.text.isEmpty)
    }

    @Test(arguments: [
        ("", "holds no chains"), ("{\"instruction\": 3}\n", "line 1"), ("{\"instr", "JSON"),
    ])
    func `data that cannot be read are named with their file`(
        text: String, message: String
    ) async throws {
        let bad = try folder.write(text, "bad.jsonl")
        let output = try await Executable.run(
            "hone-trainer", arguments("run", ["--data_path", bad]))
        #expect(output.status == 1)
        #expect(output.errors.contains(bad), "\(output.errors)")
        #expect(output.errors.contains(message), "\(output.errors)")
    }

    @Test(arguments: [
        ("epoch", ["checkpoint-3", "checkpoint-6"]), ("no", ["checkpoint-6"]),
        ("steps", ["checkpoint-2", "checkpoint-4", "checkpoint-6"]),
    ])
    func `checkpoints are written when the strategy says so`(
        strategy: String, expected: [String]
    ) async throws {
        // Twelve chains by four are three steps a pass; -1 leaves the count to the passes.
        let output = try await Executable.run(
            "hone-trainer",
            arguments(
                "run",
                [
                    "--num_train_epochs", "2", "--max_steps", "-1", "--save_steps", "2",
                    "--save_strategy", strategy,
                ]))
        #expect(output.status == 0, "\(output.errors)")
        #expect(try files("run").filter { $0.hasPrefix("checkpoint") } == expected)
    }

    @Test func `a run that diverges leaves its curve, and nothing half made`() async throws {
        let output = try await Executable.run(
            "hone-trainer",
            arguments(
                "run",
                ["--max_steps", "40", "--learning_rate", "1e30", "--lr_scheduler_type", "constant"]
            ))
        #expect(output.status == 1)
        #expect(output.errors.contains("lower the learning rate"), "\(output.errors)")
        #expect(try files("run") == ["loss.jsonl", "loss.svg"])
        #expect(try !losses("run").isEmpty)
    }

    @Test func `what is cut and what has nothing to learn is told with the limit that applied`()
        async throws
    {
        // The model has 512 positions, whatever the flag asks for.
        let long = Chain(
            instruction: String(repeating: "long ", count: 120),
            outputs: [Draft(output: "short")])
        try folder.write(Fixture.lines(Fixture.chains() + [long]), "long.jsonl")
        let output = try await Executable.run(
            "hone-trainer",
            arguments(
                "run",
                [
                    "--max_steps", "1", "--model_max_length", "2048", "--data_path",
                    folder.path + "/long.jsonl", "--json",
                ]))
        #expect(output.status == 0, "\(output.errors)")
        #expect(
            output.errors.contains(
                "13 sequences, 1 cut at 512 tokens, 1 without a token to learn, 1 steps"),
            "\(output.errors)")
        #expect(output.text.contains("\"unscored\":1"), "\(output.text)")
    }

    @Test(arguments: [["train"], ["train", "--no_such_flag"], ["diff", "make"]])
    func `wrong usage exits with 64`(arguments: [String]) async throws {
        let output = try await Executable.run("hone-trainer", arguments)
        #expect(output.status == 64)
        #expect(output.errors.contains("Usage:"))
    }

    @Test func `flags for accelerators are accepted and said to be without effect`() async throws {
        let output = try await Executable.run(
            "hone-trainer",
            arguments(
                "run",
                [
                    "--max_steps", "1", "--bf16", "True", "--tf32", "True", "--fsdp",
                    "shard_grad_op auto_wrap", "--gradient_checkpointing", "True",
                ]))
        #expect(output.status == 0, "\(output.errors)")
        #expect(output.errors.contains("without effect on this machine: --bf16, --tf32, --fsdp"))
    }

    @Test(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
    func `the real small model learns real chains`() async throws {
        let chains = try Fixture.realChains(8)
        try folder.write(Fixture.lines(chains), "real.jsonl")
        let output = try await Executable.run(
            "hone-trainer",
            [
                "train", "--model_name_or_path", try Fixture.realModel, "--data_path",
                folder.path + "/real.jsonl", "--output_dir", folder.path + "/real",
                "--per_device_train_batch_size", "4", "--learning_rate", "1e-3",
                "--model_max_length", "256", "--max_steps", "16", "--json",
            ])
        #expect(output.status == 0, "\(output.errors)")
        #expect(output.errors.contains("8 sequences, 8 cut at 256 tokens, 16 steps"))
        let losses = try losses("real")
        #expect(losses[14] + losses[15] < losses[0] + losses[1], "\(losses)")
        let model = try LlamaWeights(folder: URL(filePath: folder.path + "/real"))
        #expect(model.configuration.vocabularySize == 513)
    }
}
