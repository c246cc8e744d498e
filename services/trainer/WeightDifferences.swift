import FoundationEssentials
import Llama
import Training

/// The differences of model folders, with the tokenizers that belong to them.
enum WeightDifferences {
    static func make(
        raw: String, tuned: String, diff: String,
        onRead: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        try WeightDifference.make(
            base: try folder(raw), tuned: try folder(tuned), to: URL(filePath: diff),
            LlamaWeights.SaveOptions(alongside: try tokenizer(of: tuned)), onRead: onRead)
    }

    /// The result's tokenizer is the difference's, as in the original.
    static func apply(
        raw: String, diff: String, tuned: String,
        onRead: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        try WeightDifference.apply(
            base: try folder(raw), difference: try folder(diff), to: URL(filePath: tuned),
            LlamaWeights.SaveOptions(alongside: try tokenizer(of: diff)), onRead: onRead)
    }

    private static func folder(_ path: String) throws -> URL {
        guard FileManager.default.fileExists(atPath: path + "/config.json") else {
            throw TrainerError.noModel(path: path)
        }
        return URL(filePath: path, directoryHint: .isDirectory)
    }

    private static func tokenizer(of path: String) throws -> [URL] {
        let own = ["special_tokens_map.json", "added_tokens.json"]
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            .filter { $0.hasPrefix("tokenizer") || own.contains($0) }
            .map { URL(filePath: path + "/" + $0) }
    }
}
