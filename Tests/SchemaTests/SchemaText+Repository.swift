import FoundationEssentials
import Schema
import TestKit

extension SchemaText {
    /// All the repository's schema files.
    static func repository() throws -> SchemaText {
        try SchemaText(parsing: repositoryFiles())
    }

    /// The files' names without their ending, with their texts.
    static func repositoryFiles() throws -> [(name: String, text: String)] {
        let folder = SharedData.repository.appending(path: "proto")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        var sources: [(name: String, text: String)] = []
        for name in names.sorted() where name.hasSuffix(".schema") {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            sources.append((String(name.dropLast(7)), text))
        }
        return sources
    }
}
