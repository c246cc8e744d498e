import ArgumentParser
import Llama
import ServiceKit

/// Measures reading and writing with new models of known shapes.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Tokens per second of reading and writing, beside what memory allows.",
        discussion: """
            The bound is the memory's speed, measured in the same run, over the bytes of the weights; \
            models that fit into the caches exceed it.
            Example: hone bench engine --models 0.8M,15M --threads 1,2
            """)

    @Option(help: "Parted by commas: demo, 0.8M, 15M, 110M.")
    var models = "0.8M,15M"
    @Option(help: "Numbers of threads, parted by commas.")
    var threads = "1,2"
    @Option(help: "How long to measure each line.")
    var seconds = 2.0
    @Flag(help: "Prints JSON.")
    var json = false

    /// One line of the table.
    struct Row: Encodable {
        var model: String
        var threads: Int
        var task: String
        var tokensPerSecond: Double
        /// Of one sequence alone: the memory's bytes a second over the weights' bytes.
        var boundTokensPerSecond: Double?
        var memoryGigabytesPerSecond: Double
    }

    func run() async throws {
        let models = try self.models.split(separator: ",").map { name in
            guard let model = BenchmarkModel(rawValue: String(name)) else {
                throw ValidationError("--models has \"\(name)\"; give demo, 0.8M, 15M or 110M.")
            }
            return model
        }
        let threads = try self.threads.split(separator: ",").map { text in
            guard let count = Int(text), (1...256).contains(count) else {
                throw ValidationError("--threads has \"\(text)\"; give numbers from 1 to 256.")
            }
            return count
        }
        let rows: [Row] = try await withTaskExecutorPreference(ComputeThread()) {
            () -> [Row] in try measure(models, threads)
        }
        if json { return try JSONOutput.print(rows) }
        var table = TextTable("model", "threads", "task", "tok/s", "bound tok/s", "memory GB/s")
        for row in rows {
            table.add(
                row.model, "\(row.threads)", row.task, TextTable.number(row.tokensPerSecond),
                row.boundTokensPerSecond.map(TextTable.number) ?? "–",
                TextTable.number(row.memoryGigabytesPerSecond))
        }
        print(table.text, terminator: "")
    }

    private func measure(_ models: [BenchmarkModel], _ threads: [Int]) throws -> [Row] {
        var rows: [Row] = []
        let bar = ProgressBar("bench")
        defer { bar.finish() }
        for (place, count) in threads.enumerated() {
            let memory = EngineBenchmark.memoryBytesPerSecond(
                threads: count, seconds: min(1, seconds))
            for (index, model) in models.enumerated() {
                bar.update(
                    place * models.count + index, of: threads.count * models.count, model.rawValue)
                let bound = memory / Double(model.configuration.parameterCount * 4)
                rows += try EngineBenchmark.run(model, threads: count, seconds: seconds).map {
                    Row(
                        model: $0.model, threads: $0.threads, task: $0.task,
                        tokensPerSecond: $0.tokensPerSecond,
                        boundTokensPerSecond: $0.task == "decode 1" ? bound : nil,
                        memoryGigabytesPerSecond: memory / 1e9)
                }
            }
        }
        return rows
    }
}
