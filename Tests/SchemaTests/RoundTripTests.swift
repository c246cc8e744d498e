import FoundationEssentials
import Schema
import TestKit
import Testing
import Wire

/// Values of every message, made from the schema's text by seed.
struct RoundTripTests {
    let schema: SchemaText

    init() throws {
        schema = try SchemaText.repository()
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `every value survives a round trip, and one value has one encoding`(seed: UInt64) throws {
        let generator = ValueGenerator(schema: schema, style: .random)
        for message in Catalogue.messages {
            let values = generator.message(message.wireName, seed: seed)
            let bytes = values.canonicalBytes
            let decoded = try message.init(decoding: bytes)
            #expect(decoded.encoded() == bytes, "\(message.wireName), seed \(seed)")
            if seed < 4 {
                #expect(Agreement.differences(decoded, values, schema) == [], "seed \(seed)")
            }
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `the order of fields does not matter`(seed: UInt64) throws {
        let generator = ValueGenerator(schema: schema, style: .full)
        var random = SplitMix64(seed: seed)
        for message in Catalogue.messages {
            let values = generator.message(message.wireName, seed: seed)
            let mixed = values.fieldBytes.shuffled(using: &random).flatMap(\.self)
            let decoded = try message.init(decoding: mixed)
            #expect(decoded.encoded() == values.canonicalBytes, "\(message.wireName), seed \(seed)")
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `unknown fields are skipped, or kept where a message is forwarded`(seed: UInt64) throws {
        let generator = ValueGenerator(schema: schema, style: .full)
        var random = SplitMix64(seed: seed)
        for message in Catalogue.messages {
            let values = generator.message(message.wireName, seed: seed)
            let unknown = [40, 900, 70_000, UInt32.max].map { tag in
                FieldValues.field(tag, (0..<Int.random(in: 0...9, using: &random)).map(UInt8.init))
            }
            let mixed = (values.fieldBytes + unknown.shuffled(using: &random)).shuffled(
                using: &random)
            let decoded = try message.init(decoding: mixed.flatMap(\.self))
            let keeps = decoded is JobState || decoded is JobEvent
            let expected = values.canonicalBytes + (keeps ? unknown.flatMap(\.self) : [])
            #expect(decoded.encoded() == expected, "\(message.wireName), seed \(seed)")
        }
    }
}

extension RoundTripTests {
    @Test func `the worked example of proto's README holds`() throws {
        let input = MergeInput.with {
            $0.dataset.name = "pets"
            $0.label = "ä"
        }
        let text = "01 06 01 04 70 65 74 73 02 02 C3 A4"
        let readme = try String(
            contentsOf: SharedData.repository.appending(path: "proto/README.md"), encoding: .utf8)
        #expect(readme.contains("\n\(text)\n"))
        #expect(input.encoded() == text.split(separator: " ").compactMap { UInt8($0, radix: 16) })
    }
}
