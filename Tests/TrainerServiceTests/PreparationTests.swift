import Corpus
import FoundationEssentials
import Llama
import Tensors
import TestKit
import Testing
import Tokenization
import TrainerService

/// What a run starts with.
@Suite struct PreparationTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func settings(model: String) -> RunSettings {
        var settings = RunSettings()
        settings.baseModel = model
        return settings
    }

    /// Whether the rows are those of the old matrix and, last, their mean.
    private func checkGrown(_ new: Tensor?, from old: Tensor?) throws {
        let (new, old) = (try #require(new), try #require(old))
        #expect(new.rows == old.rows + 1)
        #expect(Array(new.values.prefix(old.count)) == old.values)
        let added = new.row(old.rows)
        for column in 0..<old.columns {
            let sum = (0..<old.rows).reduce(0.0) { $0 + Double(old[$1, column]) }
            #expect(abs(Double(added[column]) - sum / Double(old.rows)) < 1e-6)
        }
    }

    @Test func `a missing padding token is added, its rows the mean of all rows`() throws {
        let model = try Fixture.model(in: folder)
        let old = try LlamaWeights(folder: URL(filePath: model))
        let prepared = try Preparation(settings(model: model), chains: Fixture.chains())
        #expect(prepared.tokenizer.padID == 99)
        #expect(prepared.tokenizer.id(of: "[PAD]") == 99)
        #expect(prepared.weights.configuration.vocabularySize == 100)
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            try checkGrown(prepared.weights[name], from: old[name])
        }
        let norm = "model.norm.weight"
        #expect(prepared.weights[norm]?.values == old[norm]?.values)
    }

    @Test func `a padding token that is there is kept`() throws {
        let model = try Fixture.model(in: folder)
        try folder.write(#"{"pad_token": "</s>"}"#, "base/tokenizer_config.json")
        let prepared = try Preparation(settings(model: model), chains: Fixture.chains())
        #expect(prepared.tokenizer.padID == 2)
        #expect(prepared.weights.configuration.vocabularySize == 99)
    }

    @Test(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
    func `the real small model is given a padding token`() throws {
        let model = try Fixture.realModel
        let old = try LlamaWeights(folder: URL(filePath: model))
        let chains = try Fixture.realChains(20)
        let prepared = try Preparation(settings(model: model), chains: chains)
        #expect(prepared.tokenizer.padID == 512)
        let name = "model.embed_tokens.weight"
        try checkGrown(prepared.weights[name], from: old[name])
        #expect(prepared.sequences.count == 20)
        #expect(prepared.sequences.allSatisfy { $0.tokens.count <= 512 })
        #expect(prepared.truncated == prepared.sequences.count(where: \.isTruncated))
        #expect(prepared.truncated > 10)
    }

    @Test func `sequences cut at the limit are counted`() throws {
        var settings = settings(model: try Fixture.model(in: folder))
        let whole = try Preparation(settings, chains: Fixture.chains())
        #expect(whole.truncated == 0)
        let lengths = whole.sequences.map(\.tokens.count).sorted()
        settings.modelMaxLength = lengths[lengths.count / 2]
        let cut = try Preparation(settings, chains: Fixture.chains())
        #expect(cut.truncated == lengths.count { $0 > settings.modelMaxLength })
    }

    @Test func `nothing to learn is an error that says the limit`() throws {
        var settings = settings(model: try Fixture.model(in: folder))
        settings.modelMaxLength = 16
        #expect(throws: TrainerError.nothingToLearn(sequences: 12, length: 16)) {
            _ = try Preparation(settings, chains: Fixture.chains())
        }
    }

    @Test func `a model from nothing takes its vocabulary from the data`() throws {
        var settings = RunSettings()
        settings.configuration = """
            {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
             "num_attention_heads": 2, "max_position_embeddings": 256}
            """
        settings.vocabularySize = 320
        let prepared = try Preparation(settings, chains: Fixture.chains())
        let vocabulary = prepared.tokenizer.vocabularySize
        #expect(vocabulary <= 320)
        #expect(prepared.weights.configuration.vocabularySize == vocabulary)
        #expect(prepared.weights.configuration.endTokens == [2])
        // The frame of a chain is a few tokens: each heading is one.
        #expect(prepared.sequences.allSatisfy { $0.tokens.count < 60 })
        let again = try Preparation(settings, chains: Fixture.chains())
        #expect(again.weights.all.values == prepared.weights.all.values)
        #expect(again.sequences == prepared.sequences)
    }

    @Test func `a folder without a model is named`() throws {
        #expect(throws: TrainerError.noModel(path: folder.path)) {
            _ = try Preparation(settings(model: folder.path), chains: Fixture.chains())
        }
    }
}
