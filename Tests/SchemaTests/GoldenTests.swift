import FoundationEssentials
import Schema
import TestKit
import Testing
import Wire

/// The bytes in `proto/golden/` hold for ever.
///
/// `HONE_RECORD=1` writes what is missing and fails once. Where a message has grown, the case it
/// had keeps its bytes under another name: old bytes must be read for ever.
struct GoldenTests {
    static let styles: [(name: String, style: ValueGenerator.Style)] = [
        ("full", .full), ("extreme", .extreme),
    ]
    let schema: SchemaText
    let folder = SharedData.repository.appending(path: "proto/golden")
    let isRecording = ProcessInfo.processInfo.environment["HONE_RECORD"] == "1"

    init() throws {
        schema = try SchemaText.repository()
    }

    @Test func `every message has golden bytes, and nothing else has`() throws {
        if isRecording { try record() }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".json") }.sorted()
        #expect(files == schema.messages.keys.map { "\($0).json" }.sorted())
        #expect(!isRecording, "recorded; run again without HONE_RECORD")
    }

    @Test func `today's code writes the golden bytes and reads them back`() throws {
        for message in Catalogue.messages {
            for golden in try cases(of: message.wireName) {
                let decoded = try message.init(decoding: golden.bytes)
                let bytes = decoded.encoded()
                if golden.name.contains(" before change ") {
                    // Fields that are no longer used are passed over.
                    let again = try message.init(decoding: bytes).encoded()
                    #expect(again == bytes, "\(message.wireName) \(golden.name)")
                } else {
                    #expect(bytes == golden.bytes, "\(message.wireName) \(golden.name)")
                }
            }
        }
    }

    @Test func `golden bytes are those of the values beside them`() throws {
        for name in schema.messages.keys {
            let cases = try cases(of: name)
            for (styleName, style) in Self.styles {
                let values = ValueGenerator(schema: schema, style: style).message(name, seed: 1)
                let golden = cases.first { $0.name == styleName }
                #expect(golden?.bytes == values.canonicalBytes, "\(name) \(styleName)")
                #expect(golden?.fields == values.json, "\(name) \(styleName)")
            }
        }
    }

    private func cases(of name: String) throws -> [GoldenCase] {
        let file = folder.appending(path: "\(name).json")
        return try JSONDecoder().decode([GoldenCase].self, from: Data(contentsOf: file))
    }

    private func record() throws {
        for name in schema.messages.keys {
            let old = (try? cases(of: name)) ?? []
            var new = old.filter { golden in !Self.styles.contains { $0.name == golden.name } }
            for (styleName, style) in Self.styles {
                let values = ValueGenerator(schema: schema, style: style).message(name, seed: 1)
                let golden = GoldenCase(name: styleName, values: values)
                if var replaced = old.first(where: { $0.name == styleName }),
                    replaced.hex != golden.hex
                {
                    let earlier = new.count { $0.name.hasPrefix("\(styleName) before") }
                    replaced.name = "\(styleName) before change \(earlier + 1)"
                    new.append(replaced)
                }
                new.append(golden)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let text = try encoder.encode(new.sorted { $0.name < $1.name })
            try (text + Data("\n".utf8)).write(
                to: folder.appending(path: "\(name).json"), options: .atomic)
        }
    }
}
