import RPC
import Testing

@Suite(.timeLimit(.minutes(5)))
struct BenchmarkTests {
    @Test func `the benchmark measures every shape`() async throws {
        try await withServer(RPCBenchmark.router) { client, _, _ in
            var names: [String] = []
            try await RPCBenchmark.run(client, for: .milliseconds(20)) { measurement in
                names.append(measurement.shape.name)
                #expect(measurement.count > 0)
            }
            #expect(names == RPCBenchmark.shapes.map(\.name))
        }
    }
}
