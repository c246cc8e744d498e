import Llama
import Tensors
import Testing

/// A model of its own, so that nothing shared is needed.
let tiny = LlamaConfiguration(
    vocabularySize: 50, dimension: 24, intermediateDimension: 40, layers: 2, queryHeads: 4,
    keyValueHeads: 2, headDimension: 6, maximumPositions: 128)

func tinyTokens(_ count: Int, seed: UInt64) -> [Int32] {
    var source = RandomSource(seed: seed)
    return (0..<count).map { _ in Int32.random(in: 0..<50, using: &source) }
}

struct DecodingTests {
    private func logits(_ model: LlamaModel, _ tokens: [Int32]) throws -> [[Float]] {
        let cache = model.makeCache(capacity: tokens.count)
        let result = try model.decode(
            [DecodeStep(cache: cache, tokens: tokens, wanted: .all)],
            workspace: model.makeWorkspace())
        return result.rows[0].map { result.logits(row: $0) }
    }

    @Test(arguments: [1, 2, 5, 33])
    func `a prompt cut into calls gives the same bits`(piece: Int) throws {
        let model = LlamaModel(LlamaWeights(random: tiny, seed: 1))
        let tokens = tinyTokens(70, seed: 2)
        let whole = try logits(model, tokens)
        let workspace = model.makeWorkspace(maximumRows: 16)
        let cache = model.makeCache(capacity: tokens.count)
        for start in stride(from: 0, to: tokens.count, by: piece) {
            let end = min(tokens.count, start + piece)
            let result = try model.decode(
                [DecodeStep(cache: cache, tokens: Array(tokens[start..<end]), wanted: .all)],
                workspace: workspace)
            let same = result.rows[0].allSatisfy {
                result.logits(row: $0) == whole[start + $0]
            }
            #expect(same, "tokens \(start)..<\(end)")
        }
    }

    @Test func `sequences beside it and threads do not change a bit`() throws {
        let weights = LlamaWeights(random: tiny, seed: 3)
        let sequences = (0..<7).map { tinyTokens(1 + 9 * $0, seed: UInt64($0)) }
        let alone = LlamaModel(weights)
        let expected = try sequences.map { try logits(alone, $0) }
        for threads in 1...3 {
            let model = LlamaModel(weights, threads: threads)
            let steps = sequences.map {
                DecodeStep(cache: model.makeCache(capacity: 64), tokens: $0, wanted: .all)
            }
            let result = try model.decode(steps, workspace: model.makeWorkspace())
            for (rows, expected) in zip(result.rows, expected) {
                let same = rows.map { result.logits(row: $0) } == expected
                #expect(same, "\(threads) threads, rows \(rows)")
            }
        }
    }

    @Test func `tokens taken back and fed again give the same bits`() throws {
        let model = LlamaModel(LlamaWeights(random: tiny, seed: 4))
        let workspace = model.makeWorkspace()
        let tokens = tinyTokens(40, seed: 5)
        let cache = model.makeCache(capacity: 64)
        let expected = try model.decode(
            [DecodeStep(cache: cache, tokens: tokens)], workspace: workspace
        ).logits(row: 0)
        cache.truncate(to: 17)
        _ = try model.decode(
            [DecodeStep(cache: cache, tokens: tinyTokens(20, seed: 6))], workspace: workspace)
        cache.truncate(to: 17)
        let rest = DecodeStep(cache: cache, tokens: Array(tokens[17...]))
        #expect(try model.decode([rest], workspace: workspace).logits(row: 0) == expected)
    }

    @Test func `a copied prefix continues like the original`() throws {
        let model = LlamaModel(LlamaWeights(random: tiny, seed: 7))
        let workspace = model.makeWorkspace()
        let tokens = tinyTokens(50, seed: 8)
        let first = model.makeCache(capacity: 64)
        let expected = try model.decode(
            [DecodeStep(cache: first, tokens: tokens)], workspace: workspace
        ).logits(row: 0)
        let second = model.makeCache(capacity: 100)
        second.copyPrefix(37, of: first)
        let rest = DecodeStep(cache: second, tokens: Array(tokens[37...]))
        #expect(try model.decode([rest], workspace: workspace).logits(row: 0) == expected)
    }

    @Test func `only wanted logits are computed`() throws {
        let model = LlamaModel(LlamaWeights(random: tiny, seed: 9))
        let steps = [DecodeStep.Wanted.none, .last, .all].map {
            DecodeStep(cache: model.makeCache(capacity: 8), tokens: [1, 2, 3], wanted: $0)
        }
        let result = try model.decode(steps, workspace: model.makeWorkspace())
        #expect(result.rows == [0..<0, 0..<1, 1..<4])
        #expect(result.logits(row: 0) == result.logits(row: 3))
        #expect(steps.map(\.cache.count) == [3, 3, 3])
    }

    @Test func `foreign tokens and full caches are refused before anything changes`() throws {
        let model = LlamaModel(LlamaWeights(random: tiny, seed: 10))
        let workspace = model.makeWorkspace()
        let cache = model.makeCache(capacity: 3)
        #expect(throws: LlamaError.token(50, vocabulary: 50)) {
            try model.decode([DecodeStep(cache: cache, tokens: [1, 50])], workspace: workspace)
        }
        #expect(throws: LlamaError.cacheFull(count: 0, adding: 4, capacity: 3)) {
            try model.decode(
                [DecodeStep(cache: cache, tokens: [1, 2, 3, 4])], workspace: workspace)
        }
        #expect(cache.count == 0)
    }
}
