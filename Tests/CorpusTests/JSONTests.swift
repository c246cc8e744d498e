import Corpus
import TestKit
import Testing

@Suite struct JSONTests {
    @Test func `a value keeps order and numbers and comes back in Python's bytes`() throws {
        let text =
            #"{"b": 1, "a": [1.50, -0, 1e5, true, null, "\u00e9\ud83d\ude00\u007f/\"\\"], "": {}}"#
        let value = try JSON(parsing: text)
        #expect(
            value.text(.python)
                == #"{"b": 1, "a": [1.5, 0, 100000.0, true, null, "\u00e9\ud83d\ude00\u007f/\"\\"], "": {}}"#
        )
        #expect(
            value.text() == #"{"b":1,"a":[1.50,-0,1e5,true,null,"é😀"# + "\u{7F}"
                + #"/\"\\"],"":{}}"#)
        #expect(value["a"]?[0]?.doubleValue == 1.5)
        #expect(value["a"]?[2]?.intValue == 100_000)
        #expect(value["nothing"] == nil)
    }

    @Test func `indented text has Python's breaks`() {
        let value: JSON = ["a": [], "b": [1, ["c": nil]], "d": [:]]
        let expected = """
            {
                "a": [],
                "b": [
                    1,
                    {
                        "c": null
                    }
                ],
                "d": {}
            }
            """
        #expect(value.text(.python(indent: 4)) == expected)
    }

    @Test(arguments: [
        (1.0, "1.0"), (0.1, "0.1"), (1e16, "1e+16"), (1e15, "1000000000000000.0"),
        (123_456_789_012_345_680.0, "1.2345678901234568e+17"), (0.0001, "0.0001"),
        (0.00001, "1e-05"), (1.5e-7, "1.5e-07"), (2.5e-300, "2.5e-300"), (-2.5, "-2.5"),
        (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"), (-0.0, "-0.0"),
        (9_007_199_254_740_993.0, "9007199254740992.0"), (1e22, "1e+22"), (100.0, "100.0"),
        (.infinity, "Infinity"), (.nan, "NaN"), (123.456, "123.456"),
    ])
    func `doubles are written as Python writes them`(value: Double, expected: String) {
        #expect(JSONNumber.pythonText(of: value) == expected)
    }

    @Test func `of duplicate keys the last value holds in the first one's place`() throws {
        let value = try JSON(parsing: #"{"a":1,"b":2,"a":3}"#)
        #expect(value.text() == #"{"a":3,"b":2}"#)
    }

    @Test func `keys are told apart by their bytes`() throws {
        let value = try JSON(parsing: #"{"\u00e9":1,"e\u0301":2}"#)
        #expect(value.objectValue?.count == 2)
    }

    @Test func `a large object finds, replaces and removes its keys`() {
        var object = JSONObject()
        for number in 0..<100 { object["key\(number)"] = .int(number) }
        object["key50"] = "fifty"
        object["key10"] = nil
        object.rename("key99", to: "last")
        #expect(object.count == 99)
        #expect(object["key50"] == "fifty")
        #expect(object["key10"] == nil)
        #expect(object["key11"] == 11)
        #expect(object.keys.last == "last")
        #expect(object["last"] == 99)
    }

    @Test(arguments: [
        ("", 0, 1), ("{", 1, 1), ("[1,]", 3, 1), ("{\"a\":1,\n}", 8, 2), ("[1\n2]", 3, 2),
        ("01", 1, 1), ("1.", 2, 1), ("-", 1, 1), ("tru", 3, 1), ("\"\\x\"", 1, 1),
        ("\"\\ud800\"", 1, 1), ("\"\\udc00\"", 1, 1), ("\"a\nb\"", 2, 1), ("1 2", 2, 1),
        ("NaN", 0, 1), ("\"abc", 4, 1), ("\"\\u12g4\"", 5, 1), ("nul1", 3, 1),
    ])
    func `a broken text says where it is broken`(text: String, offset: Int, line: Int) {
        #expect {
            try JSON(parsing: text)
        } throws: { error in
            guard let error = error as? JSONError else { return false }
            return error.offset == offset && error.line == line
        }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONError(cause: .invalidUTF8, offset: 0, line: 1)) {
            try JSON(parsing: [0x22, 0xC3, 0x28, 0x22])
        }
    }

    @Test func `depth has a limit`() throws {
        let deep = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        _ = try JSON(parsing: deep)
        #expect(throws: JSONError(cause: .tooDeep(limit: 256), offset: 256, line: 1)) {
            try JSON(parsing: "[" + deep + "]")
        }
    }

    @Test func `Python's names of infinities are read on request`() throws {
        let value = try JSON(parsing: "[NaN, -Infinity, Infinity]", limits: .python)
        #expect(value.text(.python) == "[NaN, -Infinity, Infinity]")
        #expect(value.text() == "[null,null,null]")
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `random values survive a round trip in every style`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let value = Self.randomValue(depth: 4, using: &random)
        for style in [JSONStyle.python, .python(indent: 1, isASCII: false), .compact, .readable] {
            #expect(try JSON(parsing: value.bytes(style)) == value, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `mutated text never crashes the parser`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var bytes = Self.randomValue(depth: 4, using: &random).bytes(.python)
        for _ in 0..<8 {
            guard !bytes.isEmpty else { break }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bytes[place] = UInt8.random(in: 0...255, using: &random)
            if let value = try? JSON(parsing: bytes) {
                #expect((try? JSON(parsing: value.bytes())) == value, "seed \(seed)")
            }
        }
    }

    static func randomValue(depth: Int, using random: inout SplitMix64) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int.random(in: -1_000_000...1_000_000, using: &random))
        case 3:
            let bits = UInt64.random(in: .min ... .max, using: &random)
            let value = Double(bitPattern: bits)
            return .double(value.isFinite ? value : 0.25)
        case 4: return .string(randomText(using: &random))
        case 5:
            return .array(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in
                    randomValue(depth: depth - 1, using: &random)
                })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                object[randomText(using: &random)] = randomValue(depth: depth - 1, using: &random)
            }
            return .object(object)
        }
    }

    static func randomText(using random: inout SplitMix64) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x1F, 0x20...0x7F, 0x80...0x7FF, 0xE000...0xFFFF, 0x1F600...0x1F64F,
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
            text.append(Unicode.Scalar(UInt32.random(in: range, using: &random)) ?? "x")
        }
        return String(text)
    }
}
