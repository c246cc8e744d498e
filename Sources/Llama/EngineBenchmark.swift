internal import Tensors

/// Measures how fast a model reads prompts and writes tokens.
public enum EngineBenchmark {
    public struct Result: Sendable, Codable {
        public var model: String
        public var threads: Int
        /// What was done: "prefill 512", "decode 8".
        public var task: String
        public var tokensPerSecond: Double
    }

    /// Prefill of 512 tokens, then decoding of 1, 8 and 32 sequences side by side.
    ///
    /// - Parameter seconds: for each measurement.
    public static func run(
        _ model: BenchmarkModel, threads: Int, seconds: Double = 2
    ) throws(LlamaError) -> [Result] {
        let engine = LlamaModel(
            LlamaWeights(random: model.configuration, seed: 1), threads: threads)
        var results = [
            Result(
                model: model.rawValue, threads: threads, task: "prefill 512",
                tokensPerSecond: try prefill(engine, length: 512, seconds: seconds))
        ]
        for sequences in [1, 8, 32] {
            results.append(
                Result(
                    model: model.rawValue, threads: threads, task: "decode \(sequences)",
                    tokensPerSecond: try decode(engine, sequences: sequences, seconds: seconds)))
        }
        return results
    }

    private static func prefill(
        _ model: LlamaModel, length: Int, seconds: Double
    ) throws(LlamaError) -> Double {
        let workspace = model.makeWorkspace(maximumRows: length)
        let cache = model.makeCache(capacity: length)
        let tokens = (0..<length).map { Int32($0 * 7 % model.configuration.vocabularySize) }
        return try rate(seconds: seconds) { () throws(LlamaError) in
            cache.truncate(to: 0)
            _ = try model.decode([DecodeStep(cache: cache, tokens: tokens)], workspace: workspace)
            return length
        }
    }

    private static func decode(
        _ model: LlamaModel, sequences: Int, seconds: Double
    ) throws(LlamaError) -> Double {
        let workspace = model.makeWorkspace()
        let caches = (0..<sequences).map { _ in model.makeCache(capacity: 64) }
        return try rate(seconds: seconds) { () throws(LlamaError) in
            if caches[0].count == 64 {
                for cache in caches { cache.truncate(to: 0) }
            }
            _ = try model.decode(
                caches.map { DecodeStep(cache: $0, tokens: [5]) }, workspace: workspace)
            return sequences
        }
    }

    /// Repeats `body`, which says how many tokens it did, after one round to warm up.
    private static func rate(
        seconds: Double, _ body: () throws(LlamaError) -> Int
    ) throws(LlamaError) -> Double {
        _ = try body()
        let clock = ContinuousClock()
        let start = clock.now
        var tokens = 0
        var spent = 0.0
        repeat {
            tokens += try body()
            spent = (clock.now - start) / .seconds(1)
        } while spent < seconds
        return Double(tokens) / spent
    }
}
