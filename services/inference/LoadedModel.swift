import FoundationEssentials
package import Generation
import Llama
package import Tokenization

/// What the service knows of a model beside its weights.
package struct LoadedModel: Sendable {
    /// The name by which it was asked for.
    package var name: String
    /// Its folder.
    package var path: String
    /// Nil where the folder has none: ids can still be scored.
    package var tokenizer: Tokenizer?
    package var contextLength: Int
    package var vocabularySize: Int
    /// Tokens that end a text.
    package var endIDs: Set<TokenID>
    package var scheduler: Scheduler
    /// What ``stamp(of:)`` said of its folder when it was read.
    package var stamp: String

    /// Reads everything but the weights.
    init(
        name: String, path: String, tokenizer: String? = nil, contextLength: Int? = nil,
        limits: Scheduler.Limits
    ) throws {
        stamp = Self.stamp(of: path)
        let folder = URL(filePath: path, directoryHint: .isDirectory)
        let configuration = try LlamaConfiguration(folder: folder)
        self.name = name
        self.path = path
        self.contextLength = min(
            contextLength ?? configuration.maximumPositions, configuration.maximumPositions)
        vocabularySize = configuration.vocabularySize
        endIDs = Set(configuration.endTokens.map { TokenID($0) })
        scheduler = Scheduler(limits)
        self.tokenizer = try Self.tokenizer(at: tokenizer ?? path, isOptional: tokenizer == nil)
        if let eos = self.tokenizer?.eosID { endIDs.insert(eos) }
        endIDs.formUnion(try Self.generationEnds(in: path))
    }

    private static func tokenizer(at path: String, isOptional: Bool) throws -> Tokenizer? {
        do throws(TokenizationError) {
            return try Tokenizer.load(path)
        } catch {
            if case .missing = error, isOptional { return nil }
            throw error
        }
    }

    /// Names, sizes and times of a folder's files: another text where one was written anew.
    package static func stamp(of path: String) -> String {
        let files = FileManager.default
        // What cannot be read shows when the model is.
        let names = (try? files.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().map { name in
            let attributes = try? files.attributesOfItem(atPath: "\(path)/\(name)")
            let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(name) \(attributes?[.size] ?? 0) \(time)"
        }
        .joined(separator: "\n")
    }

    /// The tokenizer, or an error that says what the folder lacks.
    package func requireTokenizer() throws -> Tokenizer {
        guard let tokenizer else { throw InferenceError.noTokenizer(path: path) }
        return tokenizer
    }

    /// Advances the model's sequences until it is cancelled.
    ///
    /// - Parameters:
    ///   - onRead: told how many of the weights' tensors are read, and of how many.
    ///   - whenReady: called once the weights are read.
    func run(
        threads: Int, onRead: @escaping @Sendable (Int, Int) -> Void,
        whenReady: @escaping @Sendable () -> Void
    ) async throws {
        let folder = URL(filePath: path, directoryHint: .isDirectory)
        let contextLength = contextLength
        try await scheduler.run {
            let model = try LlamaModel(folder: folder, threads: threads, onRead: onRead)
            whenReady()
            return LlamaSequenceModel(model, contextLength: contextLength)
        }
    }
}
