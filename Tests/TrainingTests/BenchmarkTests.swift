import Llama
import Testing
import Training

struct BenchmarkTests {
    @Test func `speed is measured on models of the sizes named`() throws {
        let sizes = BenchmarkModel.allCases.map(\.configuration.parameterCount)
        #expect(sizes == [935_040, 829_568, 15_191_712, 109_529_856])
        let training = try TrainingBenchmark.run(
            .drill, batch: 2, length: 8, threads: 1, seconds: 0)
        #expect(training.tokensPerSecond > 0 && training.lastLoss < training.firstLoss)
        let engine = try EngineBenchmark.run(.drill, threads: 1, seconds: 0)
        #expect(engine.map(\.task) == ["prefill 512", "decode 1", "decode 8", "decode 32"])
        #expect(engine.allSatisfy { $0.tokensPerSecond > 0 })
    }
}
