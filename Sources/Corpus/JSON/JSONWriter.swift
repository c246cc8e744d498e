extension JSON {
    /// The value as UTF-8 bytes, without a newline at the end.
    public func bytes(_ style: JSONStyle = .compact) -> [UInt8] {
        var writer = JSONWriter(style: style)
        writer.write(self, level: 0)
        return writer.bytes
    }

    public func text(_ style: JSONStyle = .compact) -> String {
        String(decoding: bytes(style), as: UTF8.self)
    }

    /// The value as one line of a JSON Lines file, with its newline.
    public func line(_ style: JSONStyle = .python) -> [UInt8] {
        bytes(style) + [0x0A]
    }
}

struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private let style: JSONStyle

    init(style: JSONStyle) { self.style = style }

    mutating func write(_ value: JSON, level: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .number(let value): write(value)
        case .string(let value): write(value)
        case .array(let elements): write(elements, level: level)
        case .object(let object): write(object, level: level)
        }
    }

    /// Python writes what is not finite by name; JSON has no such number, so elsewhere it is null.
    private mutating func write(_ number: JSONNumber) {
        if style.hasPythonNumbers {
            append(number.pythonText)
        } else {
            append(number.hasDigits ? number.text : "null")
        }
    }

    private mutating func write(_ elements: [JSON], level: Int) {
        guard !elements.isEmpty else { return append("[]") }
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { append(style.itemSeparator) }
            breakLine(level: level + 1)
            write(element, level: level + 1)
        }
        breakLine(level: level)
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func write(_ object: JSONObject, level: Int) {
        guard !object.isEmpty else { return append("{}") }
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in object.members.enumerated() {
            if index > 0 { append(style.itemSeparator) }
            breakLine(level: level + 1)
            write(member.key)
            append(style.keySeparator)
            write(member.value, level: level + 1)
        }
        breakLine(level: level)
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func breakLine(level: Int) {
        guard let indent = style.indent else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indent * level))
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func write(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        let text = Array(string.utf8)
        // Bytes that stand for themselves are copied in runs.
        var run = 0
        var index = 0
        while index < text.count {
            if isPlain(text[index]) {
                index += 1
                continue
            }
            bytes += text[run..<index]
            index += writeEscaped(text, at: index)
            run = index
        }
        bytes += text[run...]
        bytes.append(UInt8(ascii: "\""))
    }

    /// DEL is plain in JSON, and escaped by Python where it writes ASCII.
    private func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            && (byte < 0x7F || !style.isASCII)
    }

    /// Writes the character at `index`; returns how many bytes of the text it takes.
    private mutating func writeEscaped(_ text: [UInt8], at index: Int) -> Int {
        let byte = text[index]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        case 0x0C: append("\\f")
        case 0x08: append("\\b")
        case 0..<0x80: writeEscape(UInt16(byte))
        default: return writeUnits(text, at: index)
        }
        return 1
    }

    /// Writes a character beyond ASCII by its UTF-16 units. A string's bytes are valid UTF-8, so the
    /// first of them says how many there are.
    private mutating func writeUnits(_ text: [UInt8], at index: Int) -> Int {
        let count = text[index] >= 0xF0 ? 4 : text[index] >= 0xE0 ? 3 : 2
        var value = UInt32(text[index]) & (0xFF >> UInt32(count + 1))
        for byte in text[(index + 1)..<(index + count)] { value = value << 6 | UInt32(byte & 0x3F) }
        if value >= 0x10000 {
            let rest = value - 0x10000
            writeEscape(0xD800 + UInt16(rest >> 10))
            writeEscape(0xDC00 + UInt16(rest & 0x3FF))
        } else {
            writeEscape(UInt16(value))
        }
        return count
    }

    private mutating func writeEscape(_ unit: UInt16) {
        append("\\u")
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: (unit >> shift) & 0xF)
            bytes.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }
}
