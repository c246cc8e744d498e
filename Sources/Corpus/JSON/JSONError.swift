/// Why a text is no JSON, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Cause: Hashable, Sendable {
        case unexpectedEnd(expected: String)
        case unexpectedByte(UInt8, expected: String)
        case trailingByte(UInt8)
        case tooDeep(limit: Int)
        case tooLong(limit: Int)
        case invalidNumber
        case invalidEscape
        case controlCharacter(UInt8)
        case loneSurrogate
        case invalidUTF8
    }

    public let cause: Cause
    /// Bytes before the place of the error.
    public let offset: Int
    /// The line of the place, counted from 1.
    public let line: Int

    public init(cause: Cause, offset: Int, line: Int) {
        self.cause = cause
        self.offset = offset
        self.line = line
    }

    /// The same error as seen from a text in which this one begins at `offset`, on `line`.
    public func moved(byOffset offset: Int, lines: Int) -> JSONError {
        JSONError(cause: cause, offset: self.offset + offset, line: line + lines)
    }

    public var description: String {
        "invalid JSON at byte \(offset), line \(line): \(causeText)"
    }

    private var causeText: String {
        switch cause {
        case .unexpectedEnd(let expected): "the text ends where \(expected) should stand"
        case .unexpectedByte(let byte, let expected):
            "\(Self.name(of: byte)) stands where \(expected) should"
        case .trailingByte(let byte): "\(Self.name(of: byte)) follows the end of the value"
        case .tooDeep(let limit): "more than \(limit) arrays and objects inside one another"
        case .tooLong(let limit): "the record is longer than \(limit) bytes"
        case .invalidNumber: "not a number JSON allows"
        case .invalidEscape: "not an escape JSON allows"
        case .controlCharacter(let byte): "\(Self.name(of: byte)) must be escaped inside a string"
        case .loneSurrogate: "half of a surrogate pair, which no Unicode text can hold"
        case .invalidUTF8: "not UTF-8"
        }
    }

    private static func name(of byte: UInt8) -> String {
        if (0x21...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
        let digits = String(byte, radix: 16, uppercase: true)
        return "byte 0x" + (digits.utf8.count < 2 ? "0" : "") + digits
    }
}
