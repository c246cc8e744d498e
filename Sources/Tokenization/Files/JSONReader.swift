/// Reads JSON from bytes piece by piece, so that a vocabulary of 128,000 entries never becomes a
/// tree of objects.
///
/// It accepts a superset of JSON (stray commas); a tokenizer file is checked by what it must hold.
struct JSONReader {
    let bytes: [UInt8]
    private(set) var offset = 0

    private static let depthLimit = 64

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func failure(_ cause: String) -> TokenizationError {
        .malformed(format: "JSON file", offset: offset, cause: cause)
    }

    /// The next byte that is not white space, without consuming it.
    mutating func peek() -> UInt8? {
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            offset += 1
        }
        return nil
    }

    mutating func begin(_ bracket: Character) throws(TokenizationError) {
        guard let byte = peek(), byte == bracket.asciiValue else {
            throw failure("expected \(bracket)")
        }
        offset += 1
    }

    /// The next key of the object that was begun, or nil after its closing brace.
    mutating func nextKey() throws(TokenizationError) -> [UInt8]? {
        guard try advance(to: 0x7D) else { return nil }
        let key = try string()
        guard peek() == 0x3A else { throw failure("expected a colon after a key") }
        offset += 1
        return key
    }

    /// Whether the array that was begun has another element; consumes its closing bracket if not.
    mutating func nextElement() throws(TokenizationError) -> Bool {
        try advance(to: 0x5D)
    }

    private mutating func advance(to closing: UInt8) throws(TokenizationError) -> Bool {
        guard var byte = peek() else { throw failure("the file ends inside a value") }
        if byte == 0x2C {
            offset += 1
            guard let next = peek() else { throw failure("the file ends inside a value") }
            byte = next
        }
        if byte == closing {
            offset += 1
            return false
        }
        return true
    }

    /// A string's UTF-8, escapes resolved; a lone surrogate becomes U+FFFD.
    mutating func string() throws(TokenizationError) -> [UInt8] {
        guard peek() == 0x22 else { throw failure("expected a string") }
        offset += 1
        var content: [UInt8] = []
        var start = offset
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x22:
                content.append(contentsOf: bytes[start..<offset])
                offset += 1
                return content
            case 0x5C:
                content.append(contentsOf: bytes[start..<offset])
                try escape(into: &content)
                start = offset
            default:
                offset += 1
            }
        }
        throw failure("the file ends inside a string")
    }

    private mutating func escape(into content: inout [UInt8]) throws(TokenizationError) {
        guard offset + 1 < bytes.count else { throw failure("the file ends inside a string") }
        let kind = bytes[offset + 1]
        offset += 2
        switch kind {
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case 0x22, 0x5C, 0x2F: content.append(kind)
        case UInt8(ascii: "u"):
            let first = try hexadecimal()
            var scalar = Unicode.Scalar(first)
            if (0xD800..<0xDC00).contains(first), offset + 1 < bytes.count,
                bytes[offset] == 0x5C, bytes[offset + 1] == UInt8(ascii: "u")
            {
                let mark = offset
                offset += 2
                let second = try hexadecimal()
                if (0xDC00..<0xE000).contains(second) {
                    scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + second - 0xDC00)
                } else {
                    offset = mark
                }
            }
            content.append(contentsOf: UTF8.encode(scalar ?? "\u{FFFD}") ?? .init())
        default: throw failure("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(TokenizationError) -> UInt32 {
        guard offset + 4 <= bytes.count,
            let value = UInt32(
                String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16)
        else { throw failure("expected four hexadecimal digits") }
        offset += 4
        return value
    }

    mutating func number() throws(TokenizationError) -> Double {
        _ = peek()
        let start = offset
        while offset < bytes.count, "+-.eE0123456789".utf8.contains(bytes[offset]) { offset += 1 }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard let value = Double(text) else { throw failure("expected a number") }
        return value
    }

    /// A small non-negative whole number: an id or a rank.
    mutating func integer() throws(TokenizationError) -> Int {
        _ = peek()
        var value = 0
        let start = offset
        while offset < bytes.count, bytes[offset] >= 0x30, bytes[offset] <= 0x39 {
            value = value * 10 + Int(bytes[offset] - 0x30)
            guard value <= Int(Int32.max) else { throw failure("an id above 2³¹") }
            offset += 1
        }
        guard offset > start else { throw failure("expected a whole number") }
        return value
    }

    private mutating func word(_ text: String) -> Bool {
        let end = offset + text.utf8.count
        guard end <= bytes.count, bytes[offset..<end].elementsEqual(text.utf8) else { return false }
        offset = end
        return true
    }

    /// The next value as a tree; for the small parts of a file.
    mutating func tree(depth: Int = 0) throws(TokenizationError) -> JSONTree {
        guard depth < Self.depthLimit else { throw failure("more than 64 nested values") }
        switch peek() {
        case 0x7B:
            var members: [(key: String, value: JSONTree)] = []
            try begin("{")
            while let key = try nextKey() {
                members.append((String(decoding: key, as: UTF8.self), try tree(depth: depth + 1)))
            }
            return .object(members)
        case 0x5B:
            var elements: [JSONTree] = []
            try begin("[")
            while try nextElement() { elements.append(try tree(depth: depth + 1)) }
            return .array(elements)
        case 0x22: return .string(String(decoding: try string(), as: UTF8.self))
        case UInt8(ascii: "t") where word("true"): return .boolean(true)
        case UInt8(ascii: "f") where word("false"): return .boolean(false)
        case UInt8(ascii: "n") where word("null"): return .null
        case nil: throw failure("the file ends where a value was expected")
        default: return .number(try number())
        }
    }
}
