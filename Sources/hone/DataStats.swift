import ArgumentParser
import RPC
import Schema
import ServiceKit

/// `hone data stats`
struct DataStats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Count what a dataset holds and what its import refused.",
        discussion: "Example: hone data stats chains --rejected refused.jsonl")

    @Argument(help: ArgumentHelp("Which dataset.", valueName: "name[@version]"))
    var dataset: DatasetArgument
    @Option(
        help: ArgumentHelp("Write the refused rows here, with reasons.", valueName: "file"))
    var rejected: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func run() async throws {
        try await connection.call(.data) { client in
            let statistics = try await ProgressBar("stats").counting {
                try await client.unary(DataAPI.stats, dataset.reference)
            }
            if let rejected {
                guard let artifact = statistics.rejectedRows else {
                    throw CommandFailure("the import of \(dataset.name) refused no row")
                }
                try await write(artifact, to: rejected, client)
            }
            if json {
                try JSONOutput.print(StatisticsReport(statistics))
            } else {
                StatisticsReport(statistics).printText()
            }
        }
    }

    private func write(_ artifact: Artifact, to path: String, _ client: Client) async throws {
        var request = ArtifactRequest()
        request.hash = artifact.hash
        try await client.serverStreaming(DataAPI.readArtifact, request) { chunks in
            let file = try ResultFile(path: path)
            for try await chunk in chunks { try file.write(chunk.data) }
            try file.finish()
        }
    }
}

private struct StatisticsReport: Encodable {
    let records: Int
    let chains: Int
    let drafts: Int
    /// Entry n counts the chains with n revisions.
    let iterations: [UInt64]
    let meanIterations: Double
    let truncated: Int
    let notNeeded: Int
    let characters: Int
    let labels: [String: Int]
    let rejected: [String: Int]
    let measures: [String: Double]

    init(_ statistics: DatasetStatistics) {
        records = statistics.examples
        chains = statistics.chains
        drafts = statistics.drafts
        iterations = statistics.iterations
        meanIterations = statistics.meanIterations
        truncated = statistics.truncated
        notNeeded = statistics.notNeeded
        characters = statistics.characters
        labels = statistics.labels
        rejected = statistics.rejected
        measures = statistics.measures
    }

    func printText() {
        print("records          \(records)")
        print("characters       \(characters)")
        if chains > 0 {
            print("chains           \(chains)")
            print("drafts           \(drafts), \(rounded(meanIterations)) a chain")
            for (revisions, count) in iterations.enumerated() {
                print("  \(revisions) revisions    \(count)")
            }
            print("truncated        \(truncated)")
            print("last not needed  \(notNeeded)")
        }
        for (label, count) in labels.sorted(by: { $0.key < $1.key }) {
            print("label \(label)  \(count)")
        }
        for (reason, count) in rejected.sorted(by: { $0.key < $1.key }) {
            print("rejected \(count): \(reason)")
        }
        for (name, value) in measures.sorted(by: { $0.key < $1.key }) {
            print("\(name)  \(rounded(value))")
        }
    }

    /// Three digits behind the point, none where there is nothing behind it.
    private func rounded(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return "\(whole)" }
        return "\((value * 1000).rounded() / 1000)"
    }
}
