import Corpus
import FoundationEssentials
import Llama
import TestKit

/// Small models and chains that every machine has.
enum Fixture {
    /// Sums with a wrong answer, its criticism and the right one.
    static func chains(_ count: Int = 12) -> [Chain] {
        (0..<count).map { number in
            let (a, b) = (number % 10, number * 7 % 10)
            return Chain(
                instruction: "Add \(a) and \(b)",
                outputs: [
                    Draft(output: "\(a + b + 1)", feedback: "Too large. Revision is needed."),
                    Draft(output: "\(a + b)", feedback: "Right. Revision is not needed."),
                ])
        }
    }

    static func lines(_ chains: [Chain]) -> String {
        chains.map { $0.json.text() + "\n" }.joined()
    }

    static let endOfSequence = "</s>"

    /// A tokenizer of single characters that, as LLaMA's, has no padding token.
    static var tokenizer: String {
        let characters = (32..<127).map { String(UnicodeScalar(UInt8($0))) } + ["\n"]
        let special = ["<unk>", "<s>", endOfSequence]
        var vocabulary: JSONObject = [:]
        for (id, piece) in (special + characters).enumerated() { vocabulary[piece] = .int(id) }
        let added: [JSON] = special.enumerated().map { id, content in
            [
                "id": .int(id), "content": .string(content), "single_word": false,
                "lstrip": false, "rstrip": false, "normalized": false, "special": true,
            ]
        }
        let json: JSON = [
            "version": "1.0", "added_tokens": .array(added), "normalizer": .null,
            "pre_tokenizer": .null, "post_processor": template, "decoder": .null,
            "model": [
                "type": "BPE", "unk_token": "<unk>", "vocab": .object(vocabulary),
                "merges": .array([]),
            ],
        ]
        return json.text()
    }

    /// Every sequence begins with `<s>`.
    private static let template: JSON = [
        "type": "TemplateProcessing",
        "single": [
            ["SpecialToken": ["id": "<s>", "type_id": 0]],
            ["Sequence": ["id": "A", "type_id": 0]],
        ],
        "pair": [
            ["SpecialToken": ["id": "<s>", "type_id": 0]],
            ["Sequence": ["id": "A", "type_id": 0]], ["Sequence": ["id": "B", "type_id": 0]],
        ],
        "special_tokens": ["<s>": ["id": "<s>", "ids": [1], "tokens": ["<s>"]]],
    ]

    static let configuration = LlamaConfiguration(
        vocabularySize: 99, dimension: 32, intermediateDimension: 64, layers: 2, queryHeads: 4,
        keyValueHeads: 2, maximumPositions: 512)

    /// Writes a new model with that tokenizer.
    ///
    /// - Returns: its folder.
    static func model(in folder: TemporaryFolder, name: String = "base") throws -> String {
        let path = folder.path + "/" + name
        try LlamaWeights(random: configuration, seed: 7, deviation: 0.1)
            .save(to: URL(filePath: path, directoryHint: .isDirectory))
        try folder.write(tokenizer, name + "/tokenizer.json")
        return path
    }

    /// The first real chains.
    static func realChains(_ count: Int) throws -> [Chain] {
        Array(try FileImport.chains(path: realChainsFile).prefix(count))
    }

    static var realChainsFile: String {
        get throws {
            try SharedData.file("data/selfee/augmentation/feedback_gpt_3.5_turbo_mbpp.jsonl").path
        }
    }

    static var realModel: String {
        get throws { try SharedData.file("data/models/stories260K/hf").path }
    }
}
