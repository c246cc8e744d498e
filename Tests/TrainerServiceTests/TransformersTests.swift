import Foundation
import Llama
import Tensors
import TestKit
import Testing
import Tokenization

/// What the Python packages make of a folder that a run has left: model and tokenizer.
@Suite(.enabled(if: Executable.path(of: "hone-trainer") != nil, "hone-trainer was not built"))
struct TransformersTests {
    private static let python =
        (ProcessInfo.processInfo.environment["HONE_VENV"] ?? "/var/tmp/hone-venv") + "/bin/python"

    private static let script = """
        import json, sys, torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        folder, text = sys.argv[1:]
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager")
        ids = tokenizer(text)["input_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].flatten().tolist()
        print(json.dumps({
            "ids": ids, "logits": logits, "pad": tokenizer.pad_token_id,
            "bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id}))
        """

    private struct Answer: Decodable {
        var ids: [TokenID]
        var logits: [Float]
        var pad: TokenID?
        var bos: TokenID?
        var eos: TokenID?
    }

    private static func run(_ arguments: [String]) -> (code: Int32, output: Data)? {
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        // No executable there is as good as one that fails.
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }

    static let isThere = run(["-c", "import torch, transformers"])?.code == 0

    @Test(.enabled(if: isThere, "torch and transformers are not there (HONE_VENV)"))
    func `transformers loads what a run has left, tokenizer included`() async throws {
        let folder = try TemporaryFolder()
        let base = try Fixture.model(in: folder)
        let data = try folder.write(Fixture.lines(Fixture.chains()), "chains.jsonl")
        let tuned = folder.path + "/tuned"
        let output = try await Executable.run(
            "hone-trainer",
            [
                "train", "--model_name_or_path", base, "--data_path", data, "--output_dir", tuned,
                "--per_device_train_batch_size", "4", "--learning_rate", "3e-3", "--max_steps",
                "3", "--threads", "1",
            ])
        #expect(output.status == 0, "\(output.errors)")
        let text = "Add 3 and 4"
        let run = try #require(TransformersTests.run(["-c", Self.script, tuned, text]))
        #expect(run.code == 0)
        let answer = try JSONDecoder().decode(Answer.self, from: run.output)
        let tokenizer = try Tokenizer.load(tuned)
        #expect(answer.ids == tokenizer.prefix + tokenizer.encode(text))
        #expect(answer.pad == 99 && answer.pad == tokenizer.padID)
        #expect(answer.bos == tokenizer.bosID && answer.eos == tokenizer.eosID)
        let model = try LlamaModel(folder: URL(filePath: tuned))
        let result = try model.decode(
            [
                DecodeStep(
                    cache: model.makeCache(capacity: answer.ids.count), tokens: answer.ids,
                    wanted: .all)
            ], workspace: model.makeWorkspace())
        let ours = result.logits.values
        try #require(ours.count == answer.logits.count)
        #expect(zip(ours, answer.logits).allSatisfy { abs($0 - $1) < 1e-4 })
    }
}
