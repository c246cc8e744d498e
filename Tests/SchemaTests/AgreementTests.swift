import FoundationEssentials
import RPC
import Schema
import TestKit
import Testing
import Wire

/// The text in `proto/` and the code in `Sources/Schema` say the same.
struct AgreementTests {
    let schema: SchemaText

    init() throws {
        schema = try SchemaText.repository()
    }

    @Test func `every message of the text is in the code, and every one of the code in the text`() {
        let coded = Catalogue.messages.map { $0.wireName }
        #expect(Set(coded).count == coded.count)
        #expect(coded.sorted() == schema.messages.keys.sorted())
    }

    @Test func `every field has the tag, name and type that the text gives it`() {
        for message in Catalogue.messages {
            #expect(
                message.fields == schema.messages[message.wireName]?.fields, "\(message.wireName)")
        }
    }

    @Test func `every limit is the one the text gives`() {
        for message in Catalogue.messages {
            #expect(
                message.maximumBytes == schema.messages[message.wireName]?.maximumBytes,
                "\(message.wireName)")
        }
    }

    @Test func `every choice of an enumeration has its number and name`() {
        let coded = Catalogue.enumerations.map { $0.wireName }
        #expect(coded.sorted() == schema.enumerations.keys.sorted())
        for enumeration in Catalogue.enumerations {
            let text = schema.enumerations[enumeration.wireName]?.choices ?? []
            #expect(Self.choices(enumeration) == text.map { "\($0.number): \($0.name)" })
        }
    }

    private static func choices<Choice: WireEnum>(_ type: Choice.Type) -> [String] {
        Choice.known.filter { $0.unknownNumber == nil }.map { "\($0.number): \($0.name)" }
    }

    @Test func `every call has the kind, messages and promise that the text gives it`() {
        let coded = Catalogue.methods.map {
            "\($0.path) \($0.kind) \($0.request) \($0.response) \($0.isIdempotent)"
        }
        let written = schema.calls.map { call in
            "\(call.path) \(call.kind) \(call.request) \(call.response) \(call.isIdempotent)"
        }
        #expect(coded.sorted() == written.sorted())
    }

    @Test func `tags ascend, are never 0 and never reserved`() {
        for message in schema.messages.values {
            let tags = message.fields.map(\.tag)
            #expect(tags == Set(tags).sorted(), "\(message.name)")
            #expect(tags.allSatisfy { $0 > 0 }, "\(message.name)")
            #expect(Set(tags).isDisjoint(with: message.reserved), "\(message.name)")
            #expect(Set(message.fields.map(\.name)).count == tags.count, "\(message.name)")
        }
    }

    @Test func `every declaration and member carries a doc comment`() {
        #expect(schema.undocumented == [])
    }

    @Test func `every property holds the field of its name and no other`() throws {
        let generator = ValueGenerator(schema: schema, style: .full)
        for message in Catalogue.messages {
            for field in schema.messages[message.wireName]?.fields ?? [] {
                var values = generator.message(message.wireName, seed: 7)
                values.entries.removeAll { $0.field != field }
                let decoded = try message.init(decoding: values.canonicalBytes)
                #expect(Agreement.differences(decoded, values, schema) == [])
                #expect(decoded.encoded() == values.canonicalBytes, "\(message.wireName) \(field)")
            }
        }
    }

    @Test func `a text that is wrong says where`() {
        for (text, line) in [
            ("schema a\n/// B\nmessage B {\n    1 string c\n}", 4),
            ("schema a\nmessage B {\n    1: C c\n}", 3),
            ("schema a\nservice a.B {\n    call C(D)\n}", 3),
            ("schema a\nmassage B {\n}", 2),
        ] {
            #expect {
                try SchemaText(parsing: [(name: "wrong", text: text)])
            } throws: {
                ($0 as? SchemaText.Fault)?.line == line
            }
        }
    }
}
