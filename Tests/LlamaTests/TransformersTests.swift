import Foundation
import Llama
import Tensors
import Testing

/// What the Python packages make of our folders.
struct TransformersTests {
    private static let python =
        (ProcessInfo.processInfo.environment["HONE_VENV"] ?? "/var/tmp/hone-venv") + "/bin/python"

    private static let script = """
        import json, sys, torch
        from transformers import AutoModelForCausalLM
        ids = torch.tensor([json.loads(sys.argv[1])])
        rows = []
        for folder in sys.argv[2:]:
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32, attn_implementation="eager")
            with torch.no_grad():
                rows.append(model(ids).logits[0].flatten().tolist())
        print(json.dumps(rows))
        """

    private static func run(_ arguments: [String]) -> (code: Int32, output: Data)? {
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        // No executable there is as good as one that fails.
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }

    static let isThere = run(["-c", "import torch, transformers"])?.code == 0

    @Test(.enabled(if: isThere, "torch and transformers are not there (HONE_VENV)"))
    func `transformers reads saved folders and computes equal logits`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "hone-llama-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tokens = tinyTokens(100, seed: 1)
        var expected: [[Float]] = []
        var folders: [String] = []
        for (index, configuration) in FolderTests.configurations.enumerated() {
            let weights = LlamaWeights(random: configuration, seed: UInt64(index))
            let url = folder.appending(path: "\(index)")
            // Whole, in halves, and in shards of halves.
            try weights.save(
                to: url,
                LlamaWeights.SaveOptions(
                    type: index == 0 ? .float32 : .bfloat16,
                    maximumShardBytes: index == 2 ? 9_000 : 1_000_000))
            let shards = url.appending(path: "model.safetensors.index.json").path
            #expect(FileManager.default.fileExists(atPath: shards) == (index == 2))
            let model = try LlamaModel(folder: url)
            let step = DecodeStep(
                cache: model.makeCache(capacity: 100), tokens: tokens, wanted: .all)
            let result = try model.decode([step], workspace: model.makeWorkspace())
            expected.append(result.logits.values)
            folders.append(url.path)
        }
        let ids = "[" + tokens.map { "\($0)" }.joined(separator: ",") + "]"
        let answer = try #require(
            TransformersTests.run(["-c", TransformersTests.script, ids] + folders))
        #expect(answer.code == 0)
        let rows = try JSONDecoder().decode([[Float]].self, from: answer.output)
        #expect(rows.count == expected.count)
        for (row, expected) in zip(rows, expected) {
            #expect(largestDifference(row, expected) < 1e-5)
        }
    }
}
