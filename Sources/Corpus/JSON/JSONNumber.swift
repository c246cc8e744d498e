/// A JSON number, kept as the text it was written in.
public struct JSONNumber: Hashable, Sendable, CustomStringConvertible {
    /// The characters of the number, as read.
    public let text: String

    /// - Parameter text: must follow JSON's grammar of numbers, or be one of Python's `NaN`,
    ///   `Infinity`, `-Infinity`; the parser sees to that.
    init(unchecked text: String) { self.text = text }

    public init(_ value: Int) { text = String(value) }

    /// The number as Python writes it: the shortest digits that read back equal, `1.0`, `1e-05`.
    public init(_ value: Double) { text = Self.pythonText(of: value) }

    /// Whether the text has neither fraction nor exponent.
    public var isInteger: Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
    }

    /// The value as an integer, also from `3.0` and `3e2`; nil if it is not integral or too big.
    public var intValue: Int? { Int(text) ?? Int(exactly: doubleValue) }

    /// The nearest double; infinite where the text is beyond a double's range.
    public var doubleValue: Double {
        switch text {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: Double(text) ?? .nan
        }
    }

    /// Whether the text is a number to JSON, and not one of Python's names.
    var hasDigits: Bool { text.utf8.last.map { (0x30...0x39).contains($0) } ?? false }

    public var description: String { text }

    /// What Python prints after it has read the number: integers keep their digits, everything else
    /// becomes the shortest text of the double.
    public var pythonText: String {
        if isInteger { return text == "-0" ? "0" : text }
        return Self.pythonText(of: doubleValue)
    }

    /// Python's `float.__repr__`: plain from 1e-4 up to 1e16, otherwise with an exponent of at least
    /// two digits.
    public static func pythonText(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
        let (digits, point) = shortestDigits(of: value.magnitude)
        let sign = value < 0 ? "-" : ""
        if point > 16 || point < -3 { return sign + scientific(digits, point: point) }
        return sign + plain(digits, point: point)
    }

    /// The shortest decimal digits, and how many of them stand before the point (may be negative).
    private static func shortestDigits(of value: Double) -> (digits: [UInt8], point: Int) {
        let written = Array(value.description.utf8)
        let exponentAt = written.firstIndex(of: UInt8(ascii: "e")) ?? written.count
        let mantissa = written[..<exponentAt]
        let pointAt = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? mantissa.count
        let exponentText = String(decoding: written[exponentAt...].dropFirst(), as: UTF8.self)
        var digits = Array(mantissa.filter { $0 != UInt8(ascii: ".") })
        var point = pointAt + (Int(exponentText) ?? 0)
        let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(leadingZeros)
        point -= leadingZeros
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, point)
    }

    private static func plain(_ digits: [UInt8], point: Int) -> String {
        let text = String(decoding: digits, as: UTF8.self)
        if point <= 0 { return "0." + String(repeating: "0", count: -point) + text }
        if point >= digits.count {
            return text + String(repeating: "0", count: point - digits.count) + ".0"
        }
        return String(decoding: digits[..<point], as: UTF8.self) + "."
            + String(decoding: digits[point...], as: UTF8.self)
    }

    private static func scientific(_ digits: [UInt8], point: Int) -> String {
        let exponent = point - 1
        let magnitude = String(exponent.magnitude)
        let fraction = String(decoding: digits.dropFirst(), as: UTF8.self)
        return String(decoding: digits.prefix(1), as: UTF8.self)
            + (fraction.isEmpty ? "" : "." + fraction)
            + (exponent < 0 ? "e-" : "e+")
            + (magnitude.utf8.count < 2 ? "0" : "") + magnitude
    }
}
