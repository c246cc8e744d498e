import Testing
import Wire

struct WireReaderTests {
    @Test func `a cut number says where it was cut`() {
        var reader = WireReader([0xAC])
        #expect(throws: WireError.truncated(offset: 0)) { () throws(WireError) in
            try reader.readVarint()
        }
    }

    @Test(arguments: 0..<64)
    func `every power of two and its neighbours survive as a varint`(exponent: Int) throws {
        let power = UInt64(1) << exponent
        for value in [power - 1, power, power + 1, UInt64.max - power] {
            var writer = WireWriter()
            writer.writeVarint(value)
            var reader = WireReader(writer.bytes)
            #expect(try reader.readVarint() == value)
            #expect(writer.bytes.count == max(1, (70 - value.leadingZeroBitCount) / 7))
        }
    }

    @Test func `a number must be written in as few bytes as it needs`() {
        expect([0x80, 0x00], .varintNotMinimal(offset: 0))
        expect([0xFF, 0x80, 0x00], .varintNotMinimal(offset: 0))
    }

    @Test func `a number has at most 64 bits`() throws {
        let ones = [UInt8](repeating: 0xFF, count: 9)
        var reader = WireReader(ones + [0x01])
        #expect(try reader.readVarint() == .max)
        expect(ones + [0x02], .varintTooLong(offset: 0))
        expect(ones + [0x81], .varintTooLong(offset: 0))
        expect(ones, .truncated(offset: 0))
    }

    private func expect(_ bytes: [UInt8], _ error: WireError) {
        var reader = WireReader(bytes)
        #expect(throws: error) { () throws(WireError) in try reader.readVarint() }
    }

    @Test(
        arguments: [
            // tag 0, a tag of 33 bits
            ([0x00, 0x00], WireError.invalidTag(offset: 0, tag: 0)),
            ([0x80, 0x80, 0x80, 0x80, 0x10, 0], .invalidTag(offset: 0, tag: 1 << 32)),
            // a tag alone; a length cut short; a length past the end
            ([0x01], .truncated(offset: 1)),
            ([0x0B, 0x80], .truncated(offset: 1)),
            ([0x0B, 0x05, 0x61], .lengthBeyondEnd(offset: 1, length: 5, available: 1)),
            // a length of 2⁶³
            (
                [0x0B, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
                .lengthBeyondEnd(offset: 1, length: 1 << 63, available: 0)
            ),
            // an unsigned number of no bytes, of two numbers, above Int.max
            ([0x01, 0x00], .truncated(offset: 2)),
            ([0x01, 0x02, 0x01, 0x01], .trailingBytes(offset: 3, count: 1)),
            (
                [0x01, 0x0A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
                .valueOutOfRange(offset: 2, value: 1 << 63, limit: UInt64(Int.max))
            ),
            // a truth value of 2
            ([0x06, 0x01, 0x02], .valueOutOfRange(offset: 2, value: 2, limit: 1)),
            // floats of the wrong size
            ([0x08, 0x03, 0, 0, 0], .wrongLength(offset: 2, expected: 4, actual: 3)),
            ([0x09, 0x00], .wrongLength(offset: 2, expected: 8, actual: 0)),
            // a packed array that ends inside an element
            ([0x13, 0x05, 0, 0, 0, 0, 0], .brokenElement(offset: 2, elementBytes: 4, actual: 5)),
            // strings: a lone continuation byte, a surrogate, an overlong slash
            ([0x0B, 0x03, 0x61, 0x62, 0x80], .invalidUTF8(offset: 4)),
            ([0x0B, 0x03, 0xED, 0xA0, 0x80], .invalidUTF8(offset: 2)),
            ([0x0B, 0x03, 0x61, 0xC0, 0xAF], .invalidUTF8(offset: 3)),
            // inside a nested message: offsets count from the outermost
            ([0x0F, 0x03, 0x01, 0x02, 0x61], .lengthBeyondEnd(offset: 3, length: 2, available: 1)),
            // inside a map's pair
            ([0x18, 0x03, 0x01, 0x01, 0xFF], .invalidUTF8(offset: 4)),
        ] as [([UInt8], WireError)])
    func `every fault has its own error with its offset`(bytes: [UInt8], error: WireError) {
        #expect(throws: error) { try Everything(decoding: bytes) }
        #expect(error.description == "message refused at byte \(error.offset): \(error.cause)")
    }

    @Test func `fields can be walked by hand`() throws {
        var writer = WireWriter()
        writer.uint(1, 300)
        writer.message(2) { $0.string(1, String(repeating: "é", count: 100)) }
        writer.packed(3, [1.5, -2] as [Float])
        writer.int(9, -3)

        var reader = WireReader(writer.bytes)
        try reader.message { reader throws(WireError) in
            #expect(try reader.nextField() == 1)
            #expect(try reader.uint() == 300)
            #expect(try reader.nextField() == 2)
            try reader.message { reader throws(WireError) in
                #expect(try reader.nextField() == 1)
                #expect(try reader.string().count == 100)
                #expect(try reader.nextField() == nil)
            }
            #expect(try reader.nextField() == 3)
            #expect(try reader.packed(of: Float.self) == [1.5, -2])
            #expect(try reader.nextField() == 9)
            reader.skip()
            #expect(try reader.nextField() == nil)
        }
        #expect(reader.offset == writer.bytes.count)
    }
}
