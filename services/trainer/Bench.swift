import ArgumentParser
import Llama
import ServiceKit
import Training

/// Measures steps with new models of known shapes, and the same with PyTorch.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Tokens per second of training, beside PyTorch's where it is installed.",
        discussion: """
            demo is what hone demo trains, 32 sequences of 100 tokens a step; 0.8M has a smaller \
            vocabulary and 64 sequences of 100; 15M takes 8 of 256. \
            PyTorch is asked in the same run through $HONE_VENV (default \(PyTorch.usualFolder)).
            Example: hone bench train --models demo,15M
            """)

    @Option(help: "Parted by commas: demo, 0.8M, 15M.")
    var models = "demo"
    @Option(help: "Compute threads.")
    var threads = 2
    @Option(help: "How long to measure each model.")
    var seconds = 10.0
    @Flag(inversion: .prefixedNo, help: "Measures PyTorch too.")
    var pytorch = true
    @Flag(help: "Prints JSON.")
    var json = false

    /// One line of the table.
    struct Row: Encodable {
        var model: String
        var batch: Int
        var length: Int
        var threads: Int
        var tokensPerSecond: Double
        var pytorchTokensPerSecond: Double?
        /// Ours over PyTorch's.
        var ratio: Double?
    }

    func validate() throws {
        if !(seconds > 0) { throw ValidationError("--seconds is \(seconds); give more than 0.") }
        if !(1...256).contains(threads) {
            throw ValidationError("--threads is \(threads); give 1 to 256.")
        }
    }

    func run() async throws {
        let models = try self.models.split(separator: ",").map { name in
            guard let model = BenchmarkModel(rawValue: String(name)), model != .hundredTenMillion
            else { throw ValidationError("--models has \"\(name)\"; give demo, 0.8M or 15M.") }
            return model
        }
        var rows: [Row] = []
        let bar = ProgressBar("bench")
        for (index, model) in models.enumerated() {
            bar.update(index, of: models.count, model.rawValue)
            let (batch, length) = Self.shape(model)
            let own = try await withTaskExecutorPreference(ComputeThread()) {
                [threads, seconds] in
                try TrainingBenchmark.run(
                    model, batch: batch, length: length, threads: threads, seconds: seconds)
            }
            let theirs = pytorch ? try measurePyTorch(model) : nil
            rows.append(
                Row(
                    model: model.rawValue, batch: batch, length: length, threads: threads,
                    tokensPerSecond: own.tokensPerSecond, pytorchTokensPerSecond: theirs,
                    ratio: theirs.map { own.tokensPerSecond / $0 }))
        }
        bar.finish()
        if json { return try JSONOutput.print(rows) }
        var table = TextTable("model", "batch", "threads", "tok/s", "PyTorch tok/s", "ratio")
        for row in rows {
            table.add(
                row.model, "\(row.batch) × \(row.length)", "\(row.threads)",
                TextTable.number(row.tokensPerSecond),
                row.pytorchTokensPerSecond.map(TextTable.number) ?? "–",
                row.ratio.map(TextTable.number) ?? "–")
        }
        print(table.text, terminator: "")
    }

    /// Sequences of a step, and their tokens.
    private static func shape(_ model: BenchmarkModel) -> (batch: Int, length: Int) {
        switch model {
        case .demo: (32, 100)
        case .drill: (64, 100)
        case .fifteenMillion, .hundredTenMillion: (8, 256)
        }
    }

    private func measurePyTorch(_ model: BenchmarkModel) throws -> Double? {
        switch try PyTorch.find() {
        case .found(let found):
            return try found.tokensPerSecond(model.rawValue, threads: threads, seconds: seconds)
        case .missing(let what):
            StandardError.write("PyTorch is not measured: \(what)\n")
            return nil
        }
    }
}
