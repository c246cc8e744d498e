import FoundationEssentials
import Llama
import Tensors
import Testing

struct FolderTests {
    @Test func `attention within a window is refused, not ignored`() throws {
        func configuration(_ window: String) throws -> LlamaConfiguration {
            try LlamaConfiguration(
                json: Data(
                    """
                    {"model_type": "mistral", "hidden_size": 64, "intermediate_size": 64,
                     "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 32,
                     "max_position_embeddings": 4096, "sliding_window": \(window)}
                    """.utf8))
        }
        #expect(throws: LlamaError.self) { _ = try configuration("1024") }
        #expect(try configuration("null").maximumPositions == 4096)
        #expect(try configuration("4096").maximumPositions == 4096)
    }

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "hone-llama-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    static let configurations: [LlamaConfiguration] = {
        var tied = tiny
        tied.tiesEmbeddings = true
        tied.endTokens = [2, 7]
        tied.padToken = 0
        var stretched = tiny
        stretched.rotary = RotarySettings(
            theta: 500_000,
            scaling: .llama3(factor: 8, low: 1, high: 4, originalPositions: 64))
        stretched.normEpsilon = 1e-6
        var linear = tiny
        linear.rotary.scaling = .linear(factor: 2.5)
        return [tiny, tied, stretched, linear]
    }()

    @Test(arguments: configurations.indices, [5_000_000_000, 9_000])
    func `what is saved is loaded again`(index: Int, shardBytes: Int) throws {
        try withFolder { folder in
            let weights = LlamaWeights(random: FolderTests.configurations[index], seed: 1)
            let url = folder.appending(path: "model")
            try weights.save(
                to: url, LlamaWeights.SaveOptions(maximumShardBytes: shardBytes))
            let loaded = try LlamaWeights(folder: url)
            #expect(loaded.configuration == weights.configuration)
            #expect(loaded.all.values == weights.all.values)
            let names = try FileManager.default.contentsOfDirectory(atPath: url.path)
            #expect(names.contains("model.safetensors") == (shardBytes > 9_000))
            #expect(names.contains("generation_config.json"))
        }
    }

    @Test func `bfloat16 on the disk is the rounded model`() throws {
        try withFolder { folder in
            let weights = LlamaWeights(random: tiny, seed: 1)
            let url = folder.appending(path: "model")
            try weights.save(to: url, LlamaWeights.SaveOptions(type: .bfloat16))
            weights.all.roundToBFloat16()
            #expect(try LlamaWeights(folder: url).all.values == weights.all.values)
        }
    }

    @Test func `the same seed begins with the same model`() {
        let one = LlamaWeights(random: tiny, seed: 1)
        #expect(one.all.values == LlamaWeights(random: tiny, seed: 1).all.values)
        #expect(one.all.values != LlamaWeights(random: tiny, seed: 2).all.values)
        let matrix = one["model.layers.0.mlp.up_proj.weight"]?.values ?? []
        let mean = matrix.reduce(0, +) / Float(matrix.count)
        let deviation = matrix.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        #expect(abs((deviation / Float(matrix.count)).squareRoot() - 0.02) < 0.002)
        #expect(one["model.norm.weight"]?.values == Array(repeating: 1, count: 24))
    }

    static let broken: [(String, String)] = [
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#, "not the expected JSON"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "needs 12"),
        (#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, "has dtype I64"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,80]}}"#, "data_offsets [0, 80]"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "data_offsets [8, 0]"),
        (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "no valid shape"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "belong to no tensor"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "with a gap"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                + #""b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "inside the one before"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
            "impossible shape"
        ),
    ]

    @Test(arguments: broken.indices)
    func `a broken header is refused with file, tensor and reason`(index: Int) throws {
        try withFolder { folder in
            let (header, problem) = FolderTests.broken[index]
            let url = folder.appending(path: "model.safetensors")
            var bytes = withLength(header) + Array(repeating: UInt8(0), count: 8)
            try Data(bytes).write(to: url)
            #expect {
                try SafetensorsFile(url)
            } throws: {
                "\($0)".contains(problem) && "\($0)".hasPrefix(url.path)
            }
            bytes = Array(bytes.prefix(20))
            try Data(bytes).write(to: url)
            #expect(throws: LlamaError.self) { try SafetensorsFile(url) }
        }
    }

    private func withLength(_ header: String) -> [UInt8] {
        let count = header.utf8.count
        return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8)
    }

    @Test func `cut and flipped bytes never crash the reader`() throws {
        try withFolder { folder in
            let url = folder.appending(path: "model.safetensors")
            let tensor = NamedTensor(
                name: "a", shape: [2, 3], tensor: Tensor(rows: 2, columns: 3))
            try SafetensorsWriter().write([tensor], to: url)
            let whole = Array(try Data(contentsOf: url))
            var source = RandomSource(seed: 1)
            for _ in 0..<300 {
                var bytes = whole
                bytes[Int.random(in: bytes.indices, using: &source)] ^=
                    1 << UInt8.random(in: 0..<8, using: &source)
                if Bool.random(using: &source) {
                    bytes.removeLast(Int.random(in: 0..<bytes.count, using: &source))
                }
                try Data(bytes).write(to: url)
                // Only a flip within a name or the numbers may pass.
                if let file = try? SafetensorsFile(url) {
                    for name in file.entries.keys { _ = try file.read(name) }
                }
            }
        }
    }

    @Test func `both spellings of the configuration mean the same`() throws {
        let sides = """
            "hidden_size": 24, "intermediate_size": 40, "num_attention_heads": 4,
            "num_hidden_layers": 2, "vocab_size": 50, "rms_norm_eps": 1e-05
            """
        let old =
            "{\(sides), \"rope_theta\": 5e5, \"rope_scaling\":"
            + " {\"type\": \"linear\", \"factor\": 4.0}, \"torch_dtype\": \"float32\"}"
        let new =
            "{\(sides), \"rope_parameters\": {\"rope_theta\": 500000.0,"
            + " \"rope_type\": \"linear\", \"factor\": 4}, \"dtype\": \"float32\"}"
        let read = try [old, new].map { try LlamaConfiguration(json: Data($0.utf8)) }
        #expect(read[0] == read[1])
        #expect(read[0].rotary == RotarySettings(theta: 5e5, scaling: .linear(factor: 4)))
        #expect(read[0].keyValueHeads == 4 && read[0].headDimension == 6)
    }

    @Test(arguments: [
        (#"{"hidden_size": 24}"#, #"config.json: "num_attention_heads" is missing"#),
        (#"{"model_type": "gpt2"}"#, #"config.json: "model_type" is "gpt2"; llama is known"#),
        (
            #"{"attention_bias": true}"#,
            #"config.json: "attention_bias" is true; only false is known"#
        ),
    ])
    func `a configuration that is not understood is refused`(json: String, message: String) {
        #expect {
            try LlamaConfiguration(json: Data(json.utf8))
        } throws: {
            "\($0)" == message
        }
    }

    @Test func `a folder of PyTorch files says how to convert them`() throws {
        try withFolder { folder in
            try Data().write(to: folder.appending(path: "pytorch_model.bin"))
            #expect {
                try Checkpoint(folder: folder)
            } throws: {
                "\($0)".contains("save_pretrained")
            }
        }
    }
}
