import ArgumentParser
import FoundationEssentials
import RPC
import Schema
import ServiceKit

/// `hone data merge`
struct DataMerge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join datasets in the order given.",
        discussion: """
            Each record gets a label: the one written after "=", else its own, else what stands after the \
            last underscore of the dataset's name. A chain file may stand in a dataset's place; it is \
            imported first.

            Example: hone data merge all feedback_alpaca.jsonl mbpp=code --output merged.json
            """)

    @Argument(help: "The name of what is made.") var name: String
    @Argument(help: ArgumentHelp("What goes in.", valueName: "name[@version][=label]"))
    var inputs: [String]
    @Option(help: ArgumentHelp("Also write the result, as one JSON array.", valueName: "file"))
    var output: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func run() async throws {
        try await connection.call(.data) { client in
            var request = MergeRequest()
            request.name = name
            for input in inputs { request.inputs.append(try await mergeInput(input, client)) }
            if output != nil { try await checkChains(request.inputs, client) }
            let merge = request
            let version = try await ProgressBar("merge").counting {
                try await client.unary(DataAPI.merge, merge)
            }
            if let output {
                var export = ExportRequest()
                export.dataset.name = version.name
                export.dataset.version = version.version
                export.format = .selfeeArray
                try await DataExport.write(export, to: output, client)
            }
            if json {
                try JSONOutput.print(DatasetRow(version))
            } else {
                print(DatasetRow(version).text)
            }
        }
    }

    /// Refuses what could not be written as chains, before anything is made of it.
    private func checkChains(_ inputs: [MergeInput], _ client: Client) async throws {
        for input in inputs {
            let statistics = try await client.unary(DataAPI.stats, input.dataset)
            let others = statistics.examples - statistics.chains
            guard others == 0 else {
                throw CommandFailure(
                    "\(input.dataset.name) holds \(others) records that are no chains, which --output "
                        + "cannot write; merge without it, then hone data export --format lines")
            }
        }
    }

    private func mergeInput(_ text: String, _ client: Client) async throws -> MergeInput {
        var input = MergeInput()
        var path = text
        if !FileManager.default.fileExists(atPath: text), let mark = text.lastIndex(of: "=") {
            path = String(text[..<mark])
            input.label = String(text[text.index(after: mark)...])
        }
        if FileManager.default.fileExists(atPath: path) {
            var header = ImportHeader()
            header.name = DataImport.name(ofFile: path)
            header.format = .selfee
            let version = try await DataImport.named(path) {
                try await DataImport.send(path, header, client)
            }
            input.dataset.name = version.name
            input.dataset.version = version.version
            return input
        }
        guard let dataset = DatasetArgument(argument: path) else {
            throw ValidationError("\"\(text)\" names no dataset; write name[@version][=label]")
        }
        input.dataset = dataset.reference
        return input
    }
}
