import ArgumentParser
import RPC
import Schema
import ServiceKit

/// `hone data …`: what the data service owns.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Import, merge, split, export and count datasets.",
        discussion: "Example: hone data import chains.jsonl --format selfee --name chains",
        subcommands: [
            DataImport.self, DataMerge.self, DataSplit.self, DataExport.self, DataStats.self,
            DataList.self,
        ])
}

/// A dataset as people write it: `name` or `name@version`.
struct DatasetArgument: ExpressibleByArgument {
    let name: String
    let version: String

    init?(argument: String) {
        let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, !first.isEmpty else { return nil }
        name = String(first)
        version = parts.count > 1 ? String(parts[1]) : ""
    }

    var reference: DatasetReference {
        var reference = DatasetReference()
        reference.name = name
        reference.version = version
        return reference
    }
}

/// A dataset version as `--json` prints it.
struct DatasetRow: Encodable {
    let name: String
    let version: String
    let records: Int
    let bytes: Int
    let format: String
    let label: String
    let parents: [String]
    let createdAtMilliseconds: Int

    init(_ version: DatasetVersion) {
        name = version.name
        self.version = version.version
        records = version.examples
        bytes = version.bytes
        format = "\(version.format)"
        label = version.label
        parents = version.parents
        createdAtMilliseconds = version.createdAtMilliseconds
    }

    /// The row for people: the hash is cut to what tells versions apart.
    var text: String {
        "\(name)@\(version.prefix(12))  \(records) records  \(bytes) bytes  \(format)"
    }
}
