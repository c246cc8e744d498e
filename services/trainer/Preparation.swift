package import Corpus
import FoundationEssentials
package import Llama
import Revising
package import Tokenization

/// What a run starts with: weights, the tokenizer that fits them, and the sequences to learn.
package struct Preparation {
    package var weights: LlamaWeights
    package var tokenizer: Tokenizer
    package var sequences: [TokenizedChain]
    /// The model the weights came from; empty where they are new.
    var model: String

    /// The longest sequence there may be, in tokens.
    package var maximumLength: Int

    package var truncated: Int { sequences.count(where: \.isTruncated) }

    /// Sequences whose prompt leaves no token to learn.
    package var unscored: Int { sequences.count { $0.promptTokens >= $0.tokens.count } }

    /// Reads the base model or makes a new one, and turns the chains into tokens.
    ///
    /// - Parameter onTokenized: told how many chains are tokens.
    package init(
        _ settings: RunSettings, chains: [Chain], onTokenized: (Int) -> Void = { _ in }
    ) throws {
        try settings.check()
        guard let objective = Objective(rawValue: settings.objective) else {
            throw TrainerError.badSetting(
                flag: "--training_objective", value: settings.objective,
                expected: "full or answer-only")
        }
        let mode: ChainMode = settings.mode == "selfee" ? .selfee : .strict
        if let base = settings.baseModel {
            guard FileManager.default.fileExists(atPath: base + "/config.json") else {
                throw TrainerError.noModel(path: base)
            }
            model = base
            (weights, tokenizer) = try Self.reading(base)
        } else {
            model = ""
            tokenizer =
                settings.tokenizer.isEmpty
                ? try Self.trainedTokenizer(
                    on: chains, objective: objective, mode: mode, size: settings.vocabularySize)
                : try Tokenizer.load(settings.tokenizer)
            let (configuration, deviation) = try Self.configuration(
                settings.configuration, for: tokenizer)
            weights = LlamaWeights(
                random: configuration, seed: settings.seed, deviation: deviation)
        }
        let text = try TrainingText(
            tokenizer: tokenizer, objective: objective, mode: mode,
            maximumLength: min(
                settings.modelMaxLength, weights.configuration.maximumPositions),
            model: model)
        tokenizer = text.tokenizer
        maximumLength = text.maximumLength
        if text.isOriginal {
            // What the weights are saved with begins as the sequences do.
            var configuration = weights.configuration
            configuration.beginToken = tokenizer.bosID.map { Int($0) }
            weights = weights.configured(configuration)
        }
        sequences = []
        sequences.reserveCapacity(chains.count)
        for chain in chains {
            sequences.append(text.tokenize(chain))
            onTokenized(sequences.count)
        }
        guard unscored < sequences.count else {
            throw TrainerError.nothingToLearn(
                sequences: sequences.count, length: text.maximumLength)
        }
    }

    /// A model folder; a tokenizer without a padding token is given `[PAD]`, whose rows are the mean
    /// of all old rows in both matrices.
    private static func reading(_ folder: String) throws -> (LlamaWeights, Tokenizer) {
        var weights = try LlamaWeights(folder: URL(filePath: folder, directoryHint: .isDirectory))
        var tokenizer = try Tokenizer.load(folder)
        if tokenizer.padID == nil {
            tokenizer = try tokenizer.adding("[PAD]", asPadding: true).tokenizer
        }
        if tokenizer.vocabularySize > weights.configuration.vocabularySize {
            weights = weights.resized(vocabulary: tokenizer.vocabularySize)
        }
        return (weights, tokenizer)
    }

    /// The shape of a new model; its vocabulary and its special tokens are the tokenizer's.
    private static func configuration(
        _ json: String, for tokenizer: Tokenizer
    ) throws -> (LlamaConfiguration, deviation: Double) {
        var object: JSONObject
        do {
            guard case .object(let members) = try JSON(parsing: json) else {
                throw TrainerError.badConfiguration(reason: "it is no JSON object")
            }
            object = members
        } catch let error as JSONError {
            throw TrainerError.badConfiguration(reason: "\(error)")
        }
        object["vocab_size"] = .int(tokenizer.vocabularySize)
        for (key, id) in [
            ("bos_token_id", tokenizer.bosID), ("eos_token_id", tokenizer.eosID),
            ("pad_token_id", tokenizer.padID),
        ] {
            object[key] = id.map { .int(Int($0)) } ?? .null
        }
        return (
            try LlamaConfiguration(json: Data(JSON.object(object).text().utf8)),
            object["initializer_range"]?.doubleValue ?? LlamaWeights.initialDeviation
        )
    }

    /// A vocabulary of the words of the chains: digits stand alone, and each heading of the chain's
    /// text is one token, so that sequences are short.
    private static func trainedTokenizer(
        on chains: [Chain], objective: Objective, mode: ChainMode, size: Int
    ) throws -> Tokenizer {
        var settings = VocabularyTrainer.Settings()
        settings.method = .words(minimumCount: 2)
        settings.maximumSize = size
        settings.addedTokens = [
            Prompt.preamble, Prompt.preambleWithInput, "\n\n### Instruction:\n", "\n\n### Input:\n",
            "\n\n### Answer:\n", "\n\n### Feedback ", "\n\n### Revision ", ":\n",
        ]
        var trainer = VocabularyTrainer(settings)
        for chain in chains {
            let (prompt, target) = TrainingText.texts(of: chain, objective: objective, mode: mode)
            trainer.add(prompt + target)
        }
        return try trainer.train()
    }
}
