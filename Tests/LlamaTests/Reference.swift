import FoundationEssentials
import Llama
import Tensors
import TestKit

/// What transformers computes for one of the small shared checkpoints.
struct Reference {
    let folder: URL
    let expected: Expected
    let tensors: SafetensorsFile

    static let names = ["gqa", "tied", "llama3rope", "linear-shards-bf16"]

    init(_ name: String) throws {
        folder = try SharedData.file("reference/hf/\(name)")
        expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
        tensors = try SafetensorsFile(folder.appending(path: "expected.safetensors"))
    }

    struct Expected: Decodable {
        var input_ids: [[Int32]]
        var labels_masked: [[Int32]]
        var parameters: Int
        var inv_freq: [Float]
        var logprob_sum_row0: Double
        var greedy: Greedy
        var full_labels: Gradients
        var masked_labels: Gradients
    }

    struct Greedy: Decodable {
        var prompt: [Int32]
        var tokens: [Int32]
    }

    struct Gradients: Decodable {
        var loss: Double
        var grad_norm: Double
        var grad_norms: [String: Double]
    }
}

/// The largest difference between two lists of equal length.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// Continues a prompt by the largest logit, one token a call.
func greedy(_ model: LlamaModel, _ prompt: [Int32], count: Int) throws -> [Int32] {
    let workspace = model.makeWorkspace()
    let cache = model.makeCache(capacity: prompt.count + count)
    var tokens: [Int32] = []
    var next = prompt
    for _ in 0..<count {
        let result = try model.decode(
            [DecodeStep(cache: cache, tokens: next)], workspace: workspace)
        next = [Int32(result.logits.largestColumn(row: 0))]
        tokens += next
    }
    return tokens
}
