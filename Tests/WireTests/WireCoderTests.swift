import Testing
import Wire

struct WireCoderTests {
    @Test func `a tag, a length and a payload make a field`() throws {
        var leaf = Leaf()
        leaf.name = "ä"
        leaf.size = 300
        #expect(leaf.encoded() == [0x01, 0x02, 0xC3, 0xA4, 0x02, 0x02, 0xAC, 0x02])
        #expect(try Leaf(decoding: leaf.encoded()) == leaf)
    }

    @Test(
        arguments: [
            (Everything.with { $0.count = 1 }, [0x01, 0x01, 0x01]),
            (.with { $0.optionalCount = 0 }, [0x02, 0x01, 0x00]),
            (.with { $0.wide = 128 }, [0x03, 0x02, 0x80, 0x01]),
            (.with { $0.signed = -2 }, [0x05, 0x01, 0x03]),
            (.with { $0.flag = true }, [0x06, 0x01, 0x01]),
            (.with { $0.optionalFlag = false }, [0x07, 0x01, 0x00]),
            (.with { $0.single = 1.5 }, [0x08, 0x04, 0x00, 0x00, 0xC0, 0x3F]),
            (.with { $0.double = -2 }, [0x09, 0x08, 0, 0, 0, 0, 0, 0, 0, 0xC0]),
            (.with { $0.text = "hi" }, [0x0B, 0x02, 0x68, 0x69]),
            (.with { $0.optionalText = "" }, [0x0C, 0x00]),
            (.with { $0.raw = [0xFF, 0x00] }, [0x0D, 0x02, 0xFF, 0x00]),
            (.with { $0.colour = .green }, [0x0E, 0x01, 0x03]),
            (.with { $0.leaf.size = 1 }, [0x0F, 0x03, 0x02, 0x01, 0x01]),
            (.with { $0.optionalLeaf = Leaf() }, [0x10, 0x00]),
            (.with { $0.leaves = [Leaf(), Leaf()] }, [0x11, 0x00, 0x11, 0x00]),
            (.with { $0.texts = ["", "a"] }, [0x12, 0x00, 0x12, 0x01, 0x61]),
            (.with { $0.words = [1, 258] }, [0x15, 0x08, 1, 0, 0, 0, 2, 1, 0, 0]),
            (.with { $0.integers = [-1] }, [0x16, 0x04, 0xFF, 0xFF, 0xFF, 0xFF]),
            (
                .with { $0.counts = ["b": 0, "": 1, "a": 2] },
                [
                    0x19, 0x03, 0x02, 0x01, 0x01,
                    0x19, 0x06, 0x01, 0x01, 0x61, 0x02, 0x01, 0x02,
                    0x19, 0x03, 0x01, 0x01, 0x62,
                ]
            ),
            (.with { $0.shares = ["": 0] }, [0xC8, 0x01, 0x00]),
            (Everything(), []),
        ] as [(Everything, [UInt8])])
    func `each kind of field has its layout`(value: Everything, bytes: [UInt8]) throws {
        #expect(value.encoded() == bytes)
        #expect(try Everything(decoding: bytes) == value)
    }

    @Test func `a nested message of any length gets the shortest length before it`() throws {
        for count in [0, 1, 126, 127, 128, 129, 16_380, 16_384, 70_000] {
            var value = Everything()
            value.leaf.name = String(repeating: "x", count: count)
            value.text = "before"
            value.shares = ["after": 1]
            #expect(try Everything(decoding: value.encoded()) == value)
        }
    }

    @Test func `every bit pattern of a float survives, and only +0 is left out`() throws {
        let patterns: [UInt64] = [1 << 63, 0x7FF0_0000_0000_0001, 0xFFF8_0000_0000_0ABC, 1]
        for pattern in patterns {
            let value = Everything.with {
                $0.double = Double(bitPattern: pattern)
                $0.doubles = [Double(bitPattern: pattern)]
            }
            let decoded = try Everything(decoding: value.encoded())
            #expect(decoded.double.bitPattern == pattern)
            #expect(decoded.doubles[0].bitPattern == pattern)
        }
    }

    @Test func `a map's pairs are sorted by the bytes of their keys`() throws {
        let value = Everything.with {
            $0.names = ["z": "", "é": "", "a\u{0}": "", "a": "", "Z": ""]
        }
        let keys = value.encoded().split(separator: 0x18).map { $0.dropFirst(3) }
        #expect(keys.map { String(decoding: $0, as: UTF8.self) } == ["Z", "a", "a\u{0}", "z", "é"])
    }

    @Test func `a field given twice has its last value, and lists go on`() throws {
        let bytes: [UInt8] = [1, 1, 5, 0x12, 1, 0x61, 1, 1, 6, 0x12, 1, 0x62]
        let value = try Everything(decoding: bytes)
        #expect(
            value
                == .with {
                    $0.count = 6
                    $0.texts = ["a", "b"]
                })
    }

    @Test func `a default on the wire is read, and not written again`() throws {
        let value = try Everything(decoding: [1, 1, 0, 0x0B, 0, 0x0F, 0, 0x15, 0])
        #expect(value == Everything())
        #expect(value.encoded() == [])
    }

    @Test func `numbers of choices to come survive`() throws {
        let value = try Everything(decoding: [0x0E, 0x01, 0x09])
        #expect(value.colour == .unknown(9))
        #expect(value.colour.name == "unknown(9)")
        #expect(value.encoded() == [0x0E, 0x01, 0x09])
        #expect(Colour(name: "green") == .green)
        #expect(Colour(name: "blue") == nil)
        #expect(Colour(number: 2) == .unknown(2))
        #expect(Colour.green.number == 3)
    }

    @Test func `messages nest 32 deep and no deeper`() throws {
        var bytes: [UInt8] = []
        for _ in 0..<31 { bytes = Self.field(1, bytes) }
        #expect(try Tree(decoding: bytes).encoded() == bytes)
        #expect(throws: WireError.tooDeep(offset: 64, limit: 32)) {
            try Tree(decoding: Self.field(1, bytes))
        }
    }

    @Test func `a message longer than its type allows is refused`() {
        #expect(throws: WireError.messageTooLarge(bytes: 1025, limit: 1024)) {
            try Tree(decoding: [UInt8](repeating: 0, count: 1025))
        }
    }

    @Test func `small fields cannot grow into large memory`() {
        expectTooMuchMemory(Crowd.self, [0x01, 0x00])
        expectTooMuchMemory(Letter.self, [0x09, 0x00])
    }

    private func expectTooMuchMemory<Message: WireMessage>(
        _ type: Message.Type, _ field: [UInt8]
    ) {
        let many = Array(repeatElement(field, count: 40_000).joined())
        do throws(WireError) {
            let message = try Message(decoding: many)
            Issue.record("\(message.encoded().count) bytes out of \(many.count)")
        } catch {
            guard case .tooMuchMemory(_, let needed, let limit) = error else {
                Issue.record(error)
                return
            }
            #expect(limit == 16 * many.count + 65_536)
            #expect(needed > limit && needed < limit + 1_000)
        }
    }

    @Test func `a forwarded message keeps the unknown in its place`() throws {
        let inner = Self.field(1, [7]) + Self.field(2, [0x61]) + Self.field(9, [])
        let parts = [
            Self.field(1, [1]), Self.field(2, [0x62]), Self.field(3, [2]), Self.field(3, [1]),
            Self.field(4, inner), Self.field(4, []), Self.field(5, [3]), Self.field(.max, [4]),
        ]
        let bytes = parts.flatMap(\.self)
        #expect(try Letter(decoding: bytes).encoded() == bytes)

        let mixed = [7, 6, 4, 2, 0, 5, 3, 1].map { parts[$0] }.flatMap(\.self)
        var letter = try Letter(decoding: mixed)
        #expect(letter.encoded() == bytes)
        letter.second = ""
        letter.fourth = []
        let left = [0, 2, 3, 6, 7].map { parts[$0] }.flatMap(\.self)
        #expect(letter.encoded() == left)
        #expect(!letter.unknown.isEmpty)
        #expect(try Letter(decoding: []).unknown.isEmpty)
    }

    @Test func `what follows the unknown is read as if nothing had been before it`() throws {
        let inner = Self.field(2, [0x61]) + Self.field(9, [1])
        let bytes = Self.field(1, [7]) + Self.field(4, inner)
        let letter = try Letter(decoding: bytes)
        #expect(letter.fourth.map(\.second) == ["a"])
        #expect(letter.fourth.map(\.unknown.bytes) == [Self.field(9, [1])])
        #expect(letter.unknown.bytes == Self.field(1, [7]))
        #expect(letter.encoded() == bytes)
        let mixed = try Letter(decoding: Self.field(4, inner) + Self.field(1, [7]))
        #expect(mixed == letter)
    }

    @Test func `unknown fields are the same in another order, those of one tag are not`() throws {
        let (one, other) = (Self.field(3, [1]), Self.field(5, [2]))
        #expect(try Letter(decoding: one + other) == Letter(decoding: other + one))
        #expect(try Letter(decoding: one + other) != Letter(decoding: one + one))
        let again = Self.field(3, [2])
        #expect(try Letter(decoding: one + again) != Letter(decoding: again + one))
    }

    @Test func `a message names its fields`() {
        #expect(
            Leaf.fields == [
                WireField(tag: 1, name: "name", type: .string),
                WireField(tag: 2, name: "size", type: .uint),
            ])
        let types = Everything.fields.map(\.type.description)
        #expect(types[1] == "optional uint")
        #expect(types[16] == "repeated hone.tests.Leaf")
        #expect(types[21] == "packed i32")
        #expect(types[25] == "map<string, f64>")
    }

    private static func field(_ tag: UInt32, _ payload: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.bytes(tag, payload)
        return writer.bytes
    }
}
