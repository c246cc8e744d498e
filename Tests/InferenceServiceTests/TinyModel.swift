import Foundation
import Llama
import Tokenization

/// A random model with a small vocabulary, made in a moment on any machine.
enum TinyModel {
    /// - Parameters:
    ///   - name: of the folder.
    ///   - more: further files, by name.
    /// - Returns: the model's folder.
    static func make(
        in folder: TemporaryFolder, name: String = "model", seed: UInt64 = 5,
        maximumPositions: Int = 400, more: [String: String] = [:]
    ) throws -> String {
        let tokenizer = Vocabularies.all[0]
        let configuration = LlamaConfiguration(
            vocabularySize: tokenizer.vocabularySize, dimension: 32, intermediateDimension: 48,
            layers: 2, queryHeads: 4, maximumPositions: maximumPositions, endTokens: [2])
        let path = folder.path + "/" + name
        try LlamaWeights(random: configuration, seed: seed).save(to: URL(filePath: path))
        try tokenizer.save(to: path)
        for (file, text) in more {
            try Data(text.utf8).write(to: URL(filePath: path + "/" + file))
        }
        return path
    }
}
