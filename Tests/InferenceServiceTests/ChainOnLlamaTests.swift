import FoundationEssentials
import Generation
import InferenceService
import Llama
import Revising
import TestKit
import Testing
import Tokenization

/// Chains on real models, whose texts nobody scripted.
struct ChainOnLlamaTests {
    /// A tiny model with random weights, large enough in its weights to have opinions.
    private static func tiny(_ tokenizer: Tokenizer, seed: UInt64) -> LlamaModel {
        var configuration = LlamaConfiguration(
            vocabularySize: tokenizer.vocabularySize, dimension: 32, intermediateDimension: 48,
            layers: 2, queryHeads: 4, keyValueHeads: 2, maximumPositions: 700)
        configuration.endTokens = []
        return LlamaModel(LlamaWeights(random: configuration, seed: seed))
    }

    /// After every rollback the logits are those of a fresh reading of the same tokens.
    private static func check(_ model: LlamaSequenceModel) -> (
        any SequenceCache, [TokenID], LogitRows, Bool
    ) throws -> Void {
        { _, held, rows, isRollback in
            guard isRollback else { return }
            let fresh = try model.decode([
                SequenceStep(cache: model.makeCache(), tokens: held, wanted: .last)
            ])[0]
            let difference = zip(fresh, rows.last).map { abs($0 - $1) }.max() ?? 1
            #expect(difference < 1e-4)
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `whatever a random model writes, enforced revisions are made and the cache is true`(
        seed: UInt64
    ) throws {
        let tokenizer = Vocabularies.all[Int(seed % 3)]
        let model = LlamaSequenceModel(Self.tiny(tokenizer, seed: seed))
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 3, maximum: 3, stopOnFixpoint: false),
            on: model, tokenizer, sampling: Sampling(temperature: 1, seed: seed),
            segmentTokens: 20, afterFeed: Self.check(model))
        #expect(run.result.revisions == 3, "seed \(seed): \(run.result.reason)")
        #expect(run.rollbacks >= 6)
        #expect(run.verdicts.map(\.isNeeded) == [true, true, true])
        #expect(run.shown == run.result.generation)
    }

    @Test(.enabled(if: SharedData.isPresent, "needs the small real model"))
    func `the small real model revises within its context`() throws {
        let folder = try SharedData.file("data/models/stories260K/hf")
        let model = LlamaSequenceModel(try LlamaModel(folder: folder))
        let tokenizer = try Tokenizer.load(folder.path)
        let run = try ChainRun(
            RevisionPolicy(mode: .enforced, minimum: 3, maximum: 3, stopOnFixpoint: false),
            on: model, tokenizer, instruction: "Tell a story.", afterFeed: Self.check(model))
        #expect(run.result.revisions == 3, "\(run.result.usage)")
        #expect(run.result.usage.prompt + run.result.ids.count <= 512)
    }

    @Test(.enabled(if: SharedData.isPresent, "needs the small real model"))
    func `the small real model tells its story through the scheduler`() async throws {
        struct Case: Decodable {
            var prompt_ids: [TokenID]
            var greedy_ids: [TokenID]
            var min_top2_gap: Double
        }
        let folder = try SharedData.file("data/models/stories260K/hf")
        let cases = try JSONDecoder().decode(
            [Case].self,
            from: Data(
                contentsOf: SharedData.file("data/models/stories260K/expected.json")))
        var settings = ModelHost.Settings()
        settings.limits = Scheduler.Limits(slots: 5, chunk: 7)
        let told = try await withModel(folder.path, settings) { model in
            try await withThrowingTaskGroup(of: (Int, [TokenID]).self) { group in
                for (index, item) in cases.enumerated() {
                    group.addTask {
                        var settings = CompletionProgram.Settings()
                        settings.sampling = .greedy
                        settings.maximumTokens = item.greedy_ids.count
                        // The original ends a story where the next would begin.
                        settings.endIDs = [1]
                        let done = try await model.scheduler.perform(
                            CompletionProgram(
                                prompt: item.prompt_ids, tokenizer: try model.requireTokenizer(),
                                settings: settings))
                        return (index, done.tokens)
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
        }
        for (index, item) in cases.enumerated() where item.min_top2_gap > 1e-3 {
            let expected = item.greedy_ids.filter { $0 != 1 }
            #expect(told[index] == expected, "case \(index)")
        }
    }
}
