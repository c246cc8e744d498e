import FoundationEssentials
import TestKit
import Testing
import Tokenization

/// One line of a vector file.
struct Vector: Decodable {
    var text: String
    var ids: [TokenID]
}

/// A tokenizer file of the shared data and the vectors that its own library gave.
struct VectorSet: Sendable, CustomTestStringConvertible {
    var file: String
    var vectors: String

    var testDescription: String { "\(vectors) with \(file)" }

    static let all: [VectorSet] = [
        VectorSet(file: "llama/tokenizer.model", vectors: "llama-sp"),
        VectorSet(file: "llama/tokenizer.json", vectors: "llama-hf"),
        VectorSet(file: "spm-small/torchtune_m.model", vectors: "spm-torchtune_m"),
        VectorSet(file: "spm-small/unigram_test_model.model", vectors: "spm-unigram"),
        VectorSet(file: "gpt2/tokenizer.json", vectors: "gpt2"),
        VectorSet(file: "llama3/tokenizer.model", vectors: "llama3"),
        VectorSet(file: "llama3/tokenizer.json", vectors: "llama3"),
        VectorSet(file: "cl100k/cl100k_base.tiktoken", vectors: "cl100k"),
        VectorSet(file: "qwen/qwen.tiktoken", vectors: "qwen"),
    ]

    func tokenizer() throws -> Tokenizer {
        try Tokenizer.load(SharedData.file("data/tokenizers/" + file).path)
    }

    func rows(_ kind: String) throws -> [Vector] {
        let url = try SharedData.file("data/tokenizers/vectors/\(vectors).\(kind).jsonl")
        let decoder = JSONDecoder()
        return try Data(contentsOf: url).split(separator: 0x0A).map {
            try decoder.decode(Vector.self, from: Data($0))
        }
    }
}
