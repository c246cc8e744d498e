import Schema
import TestKit
import Testing
import Wire

/// Bytes that a broken or hostile peer may send: more than 100,000 of them.
struct HostileBytesTests {
    /// Cases for each message and seed; with all messages and seeds more than 100,000.
    static let casesPerMessage = 440
    static let seeds: Range<UInt64> = 0..<4

    @Test func `there are at least 100,000 cases`() {
        #expect(Self.casesPerMessage * Self.seeds.count * Catalogue.messages.count >= 100_000)
    }

    @Test(arguments: seeds)
    func `no bytes crash a decoder, and every refusal says where and why`(seed: UInt64) throws {
        let schema = try SchemaText.repository()
        let generator = ValueGenerator(schema: schema, style: .random)
        var random = SplitMix64(seed: seed)
        var refused = 0
        for message in Catalogue.messages {
            var valid: [UInt8] = []
            for index in 0..<Self.casesPerMessage {
                if index.isMultiple(of: 20) {
                    valid = generator.message(message.wireName, seed: random.next()).canonicalBytes
                }
                let bytes = Self.hostile(valid, index, &random)
                if !Self.check(message, bytes) { refused += 1 }
            }
        }
        #expect(refused > 1_000)
    }

    /// Decodes the bytes; whatever comes out takes no more bytes than went in, so that no
    /// collection has more elements than half the bytes.
    ///
    /// - Returns: whether the bytes were a message.
    private static func check<Message: WireMessage>(
        _ type: Message.Type, _ bytes: [UInt8]
    ) -> Bool {
        do throws(WireError) {
            let message = try Message(decoding: bytes)
            let canonical = message.encoded()
            if canonical.count > bytes.count {
                Issue.record("\(Message.wireName) grew: \(bytes)")
            }
            if try Message(decoding: canonical).encoded() != canonical {
                Issue.record("\(Message.wireName) has two encodings: \(bytes)")
            }
            return true
        } catch {
            if !(0...bytes.count).contains(error.offset) || error.cause.isEmpty
                || !error.description.contains("byte \(error.offset)")
            {
                Issue.record("\(Message.wireName): \(error) for \(bytes)")
            }
            return false
        }
    }

    private static func hostile(
        _ valid: [UInt8], _ index: Int, _ random: inout SplitMix64
    ) -> [UInt8] {
        var bytes = valid
        switch index % 5 {
        case 0:
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 1 where !bytes.isEmpty:
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
        case 2 where !bytes.isEmpty:
            let place = Int.random(in: bytes.indices, using: &random)
            let length = FieldValues.varint(
                random.next() >> UInt64.random(in: 0...63, using: &random))
            bytes.replaceSubrange(place...place, with: length)
        case 3 where !bytes.isEmpty:
            let start = Int.random(in: bytes.indices, using: &random)
            let end = Int.random(in: start...bytes.count, using: &random)
            bytes.insert(
                contentsOf: bytes[start..<end],
                at: Int.random(in: 0...bytes.count, using: &random))
        default:
            let most: UInt8 = Bool.random(using: &random) ? 255 : 16
            bytes = (0..<Int.random(in: 0...48, using: &random)).map { _ in
                UInt8.random(in: 0...most, using: &random)
            }
        }
        return bytes
    }

    @Test func `a message over its type's limit is refused before it is read`() {
        let bytes = [UInt8](repeating: 0, count: JobList.maximumBytes + 1)
        #expect(
            throws: WireError.messageTooLarge(bytes: bytes.count, limit: JobList.maximumBytes)
        ) {
            try JobList(decoding: bytes)
        }
    }

    @Test func `a list of empty messages cannot take memory its bytes do not justify`() {
        let pair: [UInt8] = [0x01, 0x00]
        let list = Array(repeatElement(pair, count: 100_000).joined())
        do throws(WireError) {
            let jobs = try JobList(decoding: list).jobs.count
            Issue.record("\(jobs) jobs out of \(list.count) bytes")
        } catch {
            guard case .tooMuchMemory(let offset, let needed, let limit) = error else {
                Issue.record(error)
                return
            }
            #expect(offset < list.count && needed > limit && limit == 16 * list.count + 65_536)
        }
    }
}
