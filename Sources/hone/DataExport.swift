import ArgumentParser
import RPC
import Schema
import ServiceKit

/// `hone data export`
struct DataExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a dataset as a file.",
        discussion: """
            selfee-lines and selfee-array are the forms of SelFee's chain files, alpaca that of Alpaca's \
            instructions, lines writes every record as it is kept.

            Example: hone data export chains --format selfee-array --output merged.json
            """)

    @Argument(help: ArgumentHelp("Which dataset.", valueName: "name[@version]"))
    var dataset: DatasetArgument
    @Option(help: "selfee-lines, selfee-array, alpaca or lines.") var format = Form.lines
    @Option(help: ArgumentHelp("Where to; standard output if not given.", valueName: "file"))
    var output: String?
    @Flag(help: "Print JSON about the file written; needs --output.") var json = false
    @OptionGroup var connection: ServiceConnection

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case selfeeLines = "selfee-lines"
        case selfeeArray = "selfee-array"
        case alpaca, lines

        var format: ExportFormat {
            switch self {
            case .selfeeLines: .selfeeLines
            case .selfeeArray: .selfeeArray
            case .alpaca: .alpacaArray
            case .lines: .lines
            }
        }
    }

    func validate() throws {
        if json, output == nil { throw ValidationError("--json needs --output") }
    }

    func run() async throws {
        var request = ExportRequest()
        request.dataset = dataset.reference
        request.format = format.format
        let export = request
        let bytes = try await connection.call(.data) {
            try await Self.write(export, to: output, $0)
        }
        if json, let output { try JSONOutput.print(FileReport(file: output, bytes: bytes)) }
    }

    /// Writes an export to a file, or to standard output.
    ///
    /// - Returns: how many bytes were written.
    @discardableResult
    static func write(
        _ request: ExportRequest, to path: String?, _ client: Client
    ) async throws -> Int {
        let bar = ProgressBar("export", isVisible: path != nil && StandardError.isTerminal)
        defer { bar.finish() }
        return try await client.serverStreaming(DataAPI.export, request) { chunks in
            let file = try ResultFile(path: path)
            var written = 0
            for try await chunk in chunks {
                try file.write(chunk.data)
                written += chunk.data.count
                bar.update(written, of: 0, "bytes")
            }
            try file.finish()
            return written
        }
    }
}

private struct FileReport: Encodable {
    let file: String
    let bytes: Int
}
