import FoundationEssentials
import Schema
import TestKit
import Testing

/// The schemas' texts that servers tell are those of `proto/`.
struct SchemaTextsTests {
    @Test func `every text is its file, to the letter`() throws {
        let files = try SchemaText.repositoryFiles()
        #expect(SchemaTexts.all.map(\.name).sorted() == files.map(\.name))
        let told = Dictionary(uniqueKeysWithValues: SchemaTexts.all.map { ($0.name, $0.text) })
        let different = files.filter { told[$0.name] != $0.text }
        if ProcessInfo.processInfo.environment["HONE_RECORD"] == "1" {
            for file in different { try record(file.name, file.text) }
        }
        #expect(
            different.isEmpty,
            "\(different.map(\.name)): build again after a run with HONE_RECORD=1")
    }

    @Test func `each text comes after those it uses`() throws {
        var seen: Set<String> = []
        for (name, text) in SchemaTexts.all {
            let file = try SchemaFile(name: name, text: text)
            #expect(seen.isSuperset(of: file.uses), "\(name)")
            seen.insert(file.package)
        }
    }

    @Test func `a server tells the texts of its services and those they use`() throws {
        func packages(_ services: Set<String>) throws -> [String] {
            try SchemaTexts.declaring(services: services).map(\.package)
        }
        #expect(try packages(["hone.Data"]) == ["hone.common", "hone.data"])
        #expect(try packages(["hone.Admin"]) == ["hone.admin"])
        #expect(try packages(["grpc.health.v1.Health"]) == [])
        let trainer = try packages(["hone.Trainer", "hone.Admin"])
        #expect(trainer.last == "hone.admin")
        #expect(trainer.contains("hone.jobs"))
        let some = try SchemaTexts.declaring(services: ["hone.Data"])
        let others = try SchemaTexts.declaring(services: ["hone.Gateway"])
        #expect(SchemaTexts.hash(of: some) != SchemaTexts.hash(of: others))
        #expect(SchemaTexts.hash(of: []) == "cbf29ce484222325")
    }

    /// Writes a text as Swift, lines that would be too long broken in two.
    private func record(_ name: String, _ text: String) throws {
        var swift = "extension SchemaTexts {\n    /// `proto/\(name).schema`, to the letter.\n"
        swift += "    static let \(name) = #\"\"\"\n"
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            var line = line
            while line.count > 88, let space = line.prefix(88).lastIndex(of: " ") {
                let end = line.index(after: space)
                swift += "        \(line[..<end])\\#\n"
                line = line[end...]
            }
            swift += line.isEmpty ? "\n" : "        \(line)\n"
        }
        swift += "\n        \"\"\"#\n}\n"
        let title = name.prefix(1).uppercased() + name.dropFirst()
        let path = SharedData.repository.appending(
            path: "Sources/Schema/Text/SchemaTexts+\(title).swift")
        try Data(swift.utf8).write(to: path, options: .atomic)
    }
}
