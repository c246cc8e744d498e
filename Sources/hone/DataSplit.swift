import ArgumentParser
import RPC
import Schema
import ServiceKit

/// `hone data split`
struct DataSplit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split",
        abstract: "Cut a dataset in two by chance; the same seed cuts the same way.",
        discussion: "Example: hone data split chains --fraction 0.9 --into training --rest testing")

    @Argument(help: ArgumentHelp("What is cut.", valueName: "name[@version]"))
    var dataset: DatasetArgument
    @Option(help: "The first part's share, between 0 and 1.") var fraction: Double?
    @Option(help: "The first part's number of records.") var count: Int?
    @Option(help: "The first part's name.") var into: String
    @Option(help: "The second part's name.") var rest: String
    @Option(help: "Which records go where.") var seed = 0
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func validate() throws {
        if (fraction == nil) == (count == nil) {
            throw ValidationError("give --fraction or --count")
        }
    }

    func run() async throws {
        var request = SplitRequest()
        request.dataset = dataset.reference
        request.fraction = fraction ?? 0
        request.count = count ?? 0
        request.seed = seed
        request.names = [into, rest]
        let split = request
        let list = try await connection.call(.data) { client in
            try await ProgressBar("split").counting {
                try await client.unary(DataAPI.split, split)
            }
        }
        let rows = list.versions.map(DatasetRow.init)
        if json { return try JSONOutput.print(rows) }
        for row in rows { print(row.text) }
    }
}
