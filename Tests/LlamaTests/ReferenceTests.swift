import FoundationEssentials
import Llama
import Tensors
import TestKit
import Testing

@Suite(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
struct ReferenceTests {
    @Test(arguments: Reference.names)
    func `logits of a batch of two equal those of transformers`(name: String) throws {
        let reference = try Reference(name)
        let model = try LlamaModel(folder: reference.folder, threads: 2)
        let rows = reference.expected.input_ids.prefix(2)
        let steps = rows.map {
            DecodeStep(cache: model.makeCache(capacity: $0.count), tokens: $0, wanted: .all)
        }
        let result = try model.decode(steps, workspace: model.makeWorkspace())
        let expected = try reference.tensors.read("logits")
        #expect(largestDifference(result.logits.values, expected.values) < 1e-4)
        model.logProbabilities(of: result.logits)
        let ids = rows[0]
        let sum = ids.indices.dropFirst().reduce(0.0) {
            $0 + Double(result.logits[$1 - 1, Int(ids[$1])])
        }
        #expect(abs(sum - reference.expected.logprob_sum_row0) < 1e-3)
    }

    @Test(arguments: Reference.names)
    func `rotary frequencies and the count of parameters are those of the configuration`(
        name: String
    ) throws {
        let reference = try Reference(name)
        let configuration = try LlamaConfiguration(folder: reference.folder)
        let frequencies = configuration.rotary.frequencies(
            headDimension: configuration.headDimension)
        // Two float32 roundings apart at most.
        let close = zip(frequencies, reference.expected.inv_freq).allSatisfy {
            abs($0 - $1) <= 3e-7 * $1
        }
        #expect(close && frequencies.count == reference.expected.inv_freq.count)
        #expect(configuration.parameterCount == reference.expected.parameters)
    }

    @Test(arguments: Reference.names)
    func `greedy continuation with a cache is that of transformers`(name: String) throws {
        let reference = try Reference(name)
        let model = try LlamaModel(folder: reference.folder)
        let expected = reference.expected.greedy
        let tokens = try greedy(model, expected.prompt, count: expected.tokens.count)
        #expect(tokens == expected.tokens)
    }
}

@Suite(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
struct StoriesTests {
    struct Story: Decodable {
        var prompt: String
        var prompt_ids: [Int32]
        var greedy_ids: [Int32]
        var last_prompt_logits: [Float]
        var nll_sum_prompt_plus_greedy: Double
    }

    @Test func `the small pretrained model tells its stories`() throws {
        let folder = try SharedData.file("data/models/stories260K")
        let stories = try JSONDecoder().decode(
            [Story].self, from: Data(contentsOf: folder.appending(path: "expected.json")))
        let model = try LlamaModel(folder: folder.appending(path: "hf"))
        let workspace = model.makeWorkspace()
        for story in stories {
            let cache = model.makeCache(capacity: story.prompt_ids.count)
            let result = try model.decode(
                [DecodeStep(cache: cache, tokens: story.prompt_ids)], workspace: workspace)
            let difference = largestDifference(
                result.logits.row(0), story.last_prompt_logits)
            #expect(difference < 1e-4, "\(story.prompt)")
        }
        #expect(stories.count == 12)
        for story in stories {
            let tokens = try greedy(model, story.prompt_ids, count: story.greedy_ids.count)
            #expect(tokens == story.greedy_ids, "\(story.prompt)")
            let ids = story.prompt_ids + story.greedy_ids
            let result = try model.decode(
                [
                    DecodeStep(
                        cache: model.makeCache(capacity: ids.count), tokens: ids, wanted: .all)
                ], workspace: workspace)
            model.logProbabilities(of: result.logits)
            let sum = ids.indices.dropFirst().reduce(0.0) {
                $0 - Double(result.logits[$1 - 1, Int(ids[$1])])
            }
            // Some two hundred places, each within 1e-5.
            #expect(abs(sum - story.nll_sum_prompt_plus_greedy) < 2e-3, "\(story.prompt)")
        }
    }
}
