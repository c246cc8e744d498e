import ArgumentParser
import RPC
import Schema
import ServiceKit

/// `hone data list`
struct DataList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List datasets, the newest first.",
        discussion: "Example: hone data list --all feedback")

    @Argument(help: "Only names that begin so.") var prefix = ""
    @Flag(help: "List older versions too.") var all = false
    @Option(help: "List at most so many.") var limit = 100
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func run() async throws {
        var request = DatasetQuery()
        request.namePrefix = prefix
        request.allVersions = all
        request.limit = limit
        let query = request
        let list = try await connection.call(.data) { try await $0.unary(DataAPI.list, query) }
        let rows = list.versions.map(DatasetRow.init)
        if json { return try JSONOutput.print(rows) }
        for row in rows { print(row.text) }
    }
}
