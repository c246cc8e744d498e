import Corpus
import FoundationEssentials
import Llama
import RPC
import Schema
import ServiceKit
import Tensors
import TestKit
import Testing
import TrainerService
import Wire

/// Differences of weights, by command and by call.
@Suite(.enabled(if: Executable.path(of: "hone-trainer") != nil, "hone-trainer was not built"))
struct DifferenceTests {
    private let folder: TemporaryFolder
    private let base: String
    private let tuned: String

    /// A base, and a tuned model with one token more, in shards.
    init() throws {
        folder = try TemporaryFolder()
        base = try Fixture.model(in: folder)
        tuned = folder.path + "/tuned"
        let weights = try LlamaWeights(folder: URL(filePath: base))
            .resized(vocabulary: Fixture.configuration.vocabularySize + 1)
        let noise = LlamaWeights(random: weights.configuration, seed: 3, deviation: 0.01)
        Compute().add(noise.all, to: weights.all, factor: 1)
        try weights.save(
            to: URL(filePath: tuned), LlamaWeights.SaveOptions(maximumShardBytes: 9_000))
        try folder.write(Fixture.tokenizer, "tuned/tokenizer.json")
        let files = try FileManager.default.contentsOfDirectory(atPath: tuned)
        #expect(files.contains("model.safetensors.index.json"))
    }

    /// Whether base and difference give the tuned model but for roundings.
    private func check(_ name: String) throws {
        let url = { (path: String) in URL(filePath: path, directoryHint: .isDirectory) }
        let (tuned, again) = (
            try LlamaWeights(folder: url(tuned)),
            try LlamaWeights(folder: url(folder.path + "/" + name))
        )
        let raw = try LlamaWeights(folder: url(base))
            .resized(vocabulary: tuned.configuration.vocabularySize)
        #expect(again.configuration == tuned.configuration)
        // Two roundings to float32, each of half a unit in the last place of the larger number.
        for (index, values) in tuned.tensors.map(\.values).enumerated() {
            for (value, (old, new)) in zip(
                values, zip(raw.tensors[index].values, again.tensors[index].values))
            {
                let unit = max(value.magnitude, old.magnitude).ulp
                #expect((new - value).magnitude <= unit, "\(old) → \(value), again \(new)")
            }
        }
        #expect(try folder.bytes(name + "/tokenizer.json") == Array(Fixture.tokenizer.utf8))
    }

    @Test(arguments: ["hone", "hone-trainer"])
    func `a difference applied to the base gives the tuned model`(program: String) async throws {
        guard Executable.path(of: program) != nil else { return }
        func diff(_ verb: String, tuned: String) async throws {
            let output = try await Executable.run(
                program,
                [
                    "diff", verb, "--path_raw", base, "--path_tuned", tuned, "--path_diff",
                    folder.path + "/diff", "--json",
                ])
            #expect(output.status == 0, "\(output.errors)")
            #expect(output.text.contains("\"folder\""))
        }
        try await diff("make", tuned: tuned)
        try await diff("apply", tuned: folder.path + "/again")
        try check("again")
    }

    @Test func `a base of another shape is refused`() async throws {
        var other = Fixture.configuration
        other.layers = 1
        try LlamaWeights(random: other, seed: 1)
            .save(to: URL(filePath: folder.path + "/other"))
        let output = try await Executable.run(
            "hone-trainer",
            [
                "diff", "make", "--path_raw", folder.path + "/other", "--path_tuned", tuned,
                "--path_diff", folder.path + "/diff",
            ])
        #expect(output.status == 1 && output.errors.contains("another shape"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/diff"))
    }

    @Test func `the service makes and applies differences`() async throws {
        let service = try await ServiceProcess("hone-trainer", in: folder)
        let (base, tuned, path) = (base, tuned, folder.path)
        try await withClient(try Target(parsing: service.address), tls: nil) { client in
            var request = DiffRequest()
            request.raw = base
            request.tuned = tuned
            request.diff = path + "/diff"
            _ = try await client.unary(TrainerAPI.makeDiff, request)
            request.tuned = path + "/again"
            _ = try await client.unary(TrainerAPI.applyDiff, request)
            request.raw = "/nowhere"
            do {
                _ = try await client.unary(TrainerAPI.applyDiff, request)
                Issue.record("it was applied to nothing")
            } catch let status as Status {
                #expect(status.code == .invalidArgument)
                #expect(status.message.contains("/nowhere"))
            }
        }
        try check("again")
        #expect(service.end() == 0)
    }
}
