extension JSON {
    /// What the parser accepts.
    public struct Limits: Sendable {
        /// How many arrays and objects may stand inside one another.
        public var depth: Int
        /// Whether Python's `NaN`, `Infinity` and `-Infinity` are numbers.
        public var allowsNonFinite: Bool

        public init(depth: Int = 256, allowsNonFinite: Bool = false) {
            self.depth = depth
            self.allowsNonFinite = allowsNonFinite
        }

        public static let standard = Limits()
        /// What Python's `json.loads` takes.
        public static let python = Limits(allowsNonFinite: true)
    }

    /// Reads one value that is all of `bytes`, but for white space around it and a byte order mark.
    public init(
        parsing bytes: [UInt8], limits: Limits = .standard
    ) throws(JSONError) {
        var parser = JSONParser(bytes: bytes, limits: limits)
        self = try parser.parseWhole()
    }

    public init(parsing text: String, limits: Limits = .standard) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }
}

struct JSONParser {
    private let bytes: [UInt8]
    private let limits: JSON.Limits
    private var position = 0

    init(bytes: [UInt8], limits: JSON.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func parseWhole() throws(JSONError) -> JSON {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        let value = try parseValue(depth: 0)
        skipWhitespace()
        if position < bytes.count { throw error(.trailingByte(bytes[position])) }
        return value
    }

    private mutating func parseValue(depth: Int) throws(JSONError) -> JSON {
        skipWhitespace()
        guard position < bytes.count else { throw error(.unexpectedEnd(expected: "a value")) }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "{"): return try parseObject(depth: depth + 1)
        case UInt8(ascii: "["): return try parseArray(depth: depth + 1)
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), 0x30...0x39: return try parseNumber()
        case UInt8(ascii: "N") where limits.allowsNonFinite:
            return try parseWord("NaN", .number(JSONNumber(unchecked: "NaN")))
        case UInt8(ascii: "I") where limits.allowsNonFinite:
            return try parseWord("Infinity", .number(JSONNumber(unchecked: "Infinity")))
        case let byte: throw error(.unexpectedByte(byte, expected: "a value"))
        }
    }

    private mutating func parseObject(depth: Int) throws(JSONError) -> JSON {
        try enter(depth)
        var object = JSONObject()
        skipWhitespace()
        if takes(UInt8(ascii: "}")) { return .object(object) }
        while true {
            skipWhitespace()
            try expect(UInt8(ascii: "\""), "a key or '}'", consuming: false)
            let key = try parseString()
            skipWhitespace()
            try expect(UInt8(ascii: ":"), "':'")
            object[key] = try parseValue(depth: depth)
            skipWhitespace()
            if takes(UInt8(ascii: "}")) { return .object(object) }
            try expect(UInt8(ascii: ","), "',' or '}'")
        }
    }

    private mutating func parseArray(depth: Int) throws(JSONError) -> JSON {
        try enter(depth)
        var elements: [JSON] = []
        skipWhitespace()
        if takes(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try parseValue(depth: depth))
            skipWhitespace()
            if takes(UInt8(ascii: "]")) { return .array(elements) }
            try expect(UInt8(ascii: ","), "',' or ']'")
        }
    }

    private mutating func enter(_ depth: Int) throws(JSONError) {
        if depth > limits.depth { throw error(.tooDeep(limit: limits.depth)) }
        position += 1
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for byte in word.description.utf8 {
            try expect(byte, word.description)
        }
        return value
    }

    /// Grammar: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    private mutating func parseNumber() throws(JSONError) -> JSON {
        let start = position
        if takes(UInt8(ascii: "-")), limits.allowsNonFinite, position < bytes.count,
            bytes[position] == UInt8(ascii: "I")
        {
            return try parseWord("Infinity", .number(JSONNumber(unchecked: "-Infinity")))
        }
        if !takes(UInt8(ascii: "0")) { try parseDigits() }
        if takes(UInt8(ascii: ".")) { try parseDigits() }
        if takes(UInt8(ascii: "e")) || takes(UInt8(ascii: "E")) {
            if !takes(UInt8(ascii: "+")) { _ = takes(UInt8(ascii: "-")) }
            try parseDigits()
        }
        if position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            throw error(.invalidNumber)
        }
        return .number(
            JSONNumber(unchecked: String(decoding: bytes[start..<position], as: UTF8.self)))
    }

    private mutating func parseDigits() throws(JSONError) {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        if position == start { throw error(.invalidNumber) }
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func takes(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(
        _ byte: UInt8, _ expected: String, consuming: Bool = true
    ) throws(JSONError) {
        guard position < bytes.count else { throw error(.unexpectedEnd(expected: expected)) }
        guard bytes[position] == byte else {
            throw error(.unexpectedByte(bytes[position], expected: expected))
        }
        if consuming { position += 1 }
    }

    private func error(_ cause: JSONError.Cause, at place: Int? = nil) -> JSONError {
        let offset = place ?? position
        let line = bytes[..<min(offset, bytes.count)].count { $0 == 0x0A } + 1
        return JSONError(cause: cause, offset: offset, line: line)
    }
}

// Strings.
extension JSONParser {
    /// Reads a string whose opening quote stands at `position`.
    private mutating func parseString() throws(JSONError) -> String {
        let start = position
        position += 1
        var run = position
        var unescaped: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let rest = bytes[run..<position]
                position += 1
                if unescaped.isEmpty { return try text(of: rest, from: start) }
                unescaped += rest
                return try text(of: unescaped[...], from: start)
            } else if byte == UInt8(ascii: "\\") {
                unescaped += bytes[run..<position]
                try parseEscape(into: &unescaped)
                run = position
            } else if byte < 0x20 {
                throw error(.controlCharacter(byte))
            } else {
                position += 1
            }
        }
        throw error(.unexpectedEnd(expected: "the end of a string"))
    }

    private func text(of bytes: ArraySlice<UInt8>, from start: Int) throws(JSONError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw error(.invalidUTF8, at: start)
        }
        return text
    }

    private mutating func parseEscape(into output: inout [UInt8]) throws(JSONError) {
        position += 1
        guard position < bytes.count else {
            throw error(.unexpectedEnd(expected: "an escape"))
        }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "u"): try parseUnicodeEscape(into: &output)
        default: throw error(.invalidEscape, at: position - 2)
        }
    }

    private mutating func parseUnicodeEscape(into output: inout [UInt8]) throws(JSONError) {
        let start = position - 2
        let first = try parseHexadecimal()
        var value = UInt32(first)
        if (0xD800...0xDFFF).contains(first) {
            guard first < 0xDC00, position + 1 < bytes.count,
                bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
            else { throw error(.loneSurrogate, at: start) }
            position += 2
            let second = try parseHexadecimal()
            guard (0xDC00...0xDFFF).contains(second) else {
                throw error(.loneSurrogate, at: start)
            }
            value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw error(.loneSurrogate, at: start) }
        output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func parseHexadecimal() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count else {
                throw error(.unexpectedEnd(expected: "four hexadecimal digits"))
            }
            guard let digit = Self.hexadecimalValue(of: bytes[position]) else {
                throw error(.invalidEscape)
            }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    private static func hexadecimalValue(of byte: UInt8) -> UInt16? {
        switch byte {
        case 0x30...0x39: UInt16(byte - 0x30)
        case 0x41...0x46: UInt16(byte - 0x41 + 10)
        case 0x61...0x66: UInt16(byte - 0x61 + 10)
        default: nil
        }
    }
}
