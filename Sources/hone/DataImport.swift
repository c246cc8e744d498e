import ArgumentParser
import FoundationEssentials
import RPC
import Schema
import ServiceKit

/// `hone data import`
struct DataImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read files into datasets.",
        discussion: """
            Every row is kept or counted under the reason why not. Of ShareGPT's conversations, the \
            first message of a human with its answer is kept, where both are English and the answer \
            is no question.

            Example: hone data import sg_90k_part1.json --format sharegpt --name sharegpt
            """)

    @Argument(help: "The files; JSON arrays, JSON lines or tables, told by their content.")
    var files: [String]
    @Option(help: "What the rows are: \(DataImport.formatNames).") var format: FormatArgument
    @Option(help: "The dataset's name; the file's name without its ending if not given.")
    var name: String?
    @Option(help: "The label every record gets.") var label: String?
    @Flag(help: "Keep only rows in English; always so for sharegpt.") var englishOnly = false
    @Flag(help: "Keep every language, also for sharegpt.") var allLanguages = false
    @Option(
        help: "Which two messages count: human (the first that is answered), or the original's two."
    )
    var pair: PairArgument?
    @Flag(help: "Keep conversations whose answer ends in a question mark.") var keepQuestions =
        false
    @Flag(help: "Drop rows equal to an earlier one.") var dropDuplicates = false
    @Option(help: "Stop after so many kept rows.") var limit: Int?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    static let formatNames = FormatArgument.all.map(\.name).joined(separator: ", ")

    func validate() throws {
        if name != nil, files.count > 1 {
            throw ValidationError("--name names one dataset, and there are \(files.count) files")
        }
        if englishOnly, allLanguages {
            throw ValidationError("--english-only and --all-languages exclude one another")
        }
        if let limit, limit < 1 { throw ValidationError("--limit must be above 0") }
    }

    func run() async throws {
        try await connection.call(.data) { client in
            for file in files {
                let version = try await DataImport.named(file) {
                    try await DataImport.send(file, header(file), client)
                }
                var reference = DatasetReference()
                reference.name = version.name
                reference.version = version.version
                try report(version, try await client.unary(DataAPI.stats, reference))
            }
        }
    }

    private func header(_ file: String) -> ImportHeader {
        var header = ImportHeader()
        header.name = name ?? DataImport.name(ofFile: file)
        header.format = format.format
        header.label = label ?? ""
        header.englishOnly = englishOnly
        if allLanguages { header.options["language"] = "any" }
        if let pair { header.options["pair"] = pair.rawValue }
        if keepQuestions { header.options["questions"] = "keep" }
        if dropDuplicates { header.options["duplicates"] = "drop" }
        if let limit { header.options["limit"] = "\(limit)" }
        return header
    }

    /// A file's name without its folder and its last ending.
    static func name(ofFile path: String) -> String {
        URL(filePath: path).deletingPathExtension().lastPathComponent
    }

    /// Sends a file as an import.
    static func send(
        _ path: String, _ header: ImportHeader, _ client: Client
    ) async throws -> DatasetVersion {
        let bar = ProgressBar("import")
        defer { bar.finish() }
        return try await client.clientStreaming(DataAPI.importDataset) { requests in
            let file = try PiecewiseFile(path: path)
            var request = ImportRequest()
            request.header = header
            var sent = 0
            repeat {
                request.data = try file.next()
                try await requests.write(request)
                sent += request.data.count
                request.header = nil
                bar.update(sent, of: file.byteCount, header.name)
            } while !request.data.isEmpty
            try file.close()
        }
    }

    /// Says of a refusal which file it is about.
    static func named<Value>(
        _ path: String, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch let status as Status where status.code == .invalidArgument {
            throw Status(status.code, "\(path): \(status.message)")
        }
    }

    private func report(_ version: DatasetVersion, _ statistics: DatasetStatistics) throws {
        if json {
            return try JSONOutput.print(
                ImportReport(dataset: DatasetRow(version), rejected: statistics.rejected))
        }
        print(DatasetRow(version).text)
        for (reason, count) in statistics.rejected.sorted(by: { $0.key < $1.key }) {
            print("  rejected \(count): \(reason)")
        }
    }
}

private struct ImportReport: Encodable {
    let dataset: DatasetRow
    let rejected: [String: Int]
}

/// The formats by the names people type.
struct FormatArgument: ExpressibleByArgument {
    let name: String
    let format: DatasetFormat

    static let all: [FormatArgument] = DatasetFormat.known.filter { $0 != .unspecified }
        .map { FormatArgument(name: "\($0)", format: $0) }
    static var allValueStrings: [String] { all.map(\.name) }

    private init(name: String, format: DatasetFormat) {
        self.name = name
        self.format = format
    }

    init?(argument: String) {
        let wanted = argument == "chains" ? "selfee" : argument
        guard let found = Self.all.first(where: { $0.name == wanted }) else { return nil }
        self = found
    }
}

enum PairArgument: String, ExpressibleByArgument, CaseIterable {
    case original, human
}
