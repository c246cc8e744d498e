/// Why bytes were refused. Every case carries the offset, counted from the message's first byte.
public enum WireError: Error, Equatable, Sendable {
    /// A varint goes on past the end of the bytes it may use.
    case truncated(offset: Int)
    /// A varint does not fit 64 bits.
    case varintTooLong(offset: Int)
    /// A varint is longer than its value needs.
    case varintNotMinimal(offset: Int)
    /// A tag is 0 or does not fit 32 bits.
    case invalidTag(offset: Int, tag: UInt64)
    /// A field says it is longer than what is left of the message around it.
    case lengthBeyondEnd(offset: Int, length: UInt64, available: Int)
    /// A payload of fixed size has another size.
    case wrongLength(offset: Int, expected: Int, actual: Int)
    /// A packed array ends inside an element.
    case brokenElement(offset: Int, elementBytes: Int, actual: Int)
    /// A payload has bytes after its value.
    case trailingBytes(offset: Int, count: Int)
    /// A number is larger than its field allows.
    case valueOutOfRange(offset: Int, value: UInt64, limit: UInt64)
    /// A string is not UTF-8; the offset is that of the first wrong byte.
    case invalidUTF8(offset: Int)
    /// Messages are nested too deeply.
    case tooDeep(offset: Int, limit: Int)
    /// Small fields would grow to far more memory than their bytes justify.
    case tooMuchMemory(offset: Int, needed: Int, limit: Int)
    /// The whole message exceeds its type's `maximumBytes`.
    case messageTooLarge(bytes: Int, limit: Int)

    /// Where in the message the fault is.
    public var offset: Int {
        switch self {
        case .truncated(let offset), .varintTooLong(let offset), .varintNotMinimal(let offset),
            .invalidTag(let offset, _), .lengthBeyondEnd(let offset, _, _),
            .wrongLength(let offset, _, _), .brokenElement(let offset, _, _),
            .trailingBytes(let offset, _), .valueOutOfRange(let offset, _, _),
            .invalidUTF8(let offset), .tooDeep(let offset, _), .tooMuchMemory(let offset, _, _):
            offset
        case .messageTooLarge: 0
        }
    }

    /// What the fault is, without its place.
    public var cause: String {
        switch self {
        case .truncated:
            "the bytes end inside a number"
        case .varintTooLong:
            "a number does not fit 64 bits"
        case .varintNotMinimal:
            "a number is longer than its value needs"
        case .invalidTag(_, let tag):
            "\(tag) is no field tag; tags are 1 to \(UInt32.max)"
        case .lengthBeyondEnd(_, let length, let available):
            "a field of \(length) bytes is announced where \(available) are left"
        case .wrongLength(_, let expected, let actual):
            "a value of \(expected) bytes has \(actual)"
        case .brokenElement(_, let elementBytes, let actual):
            "a packed array of \(actual) bytes is no multiple of \(elementBytes)"
        case .trailingBytes(_, let count):
            "\(count) bytes follow the value in its field"
        case .valueOutOfRange(_, let value, let limit):
            "\(value) is more than the field's limit of \(limit)"
        case .invalidUTF8:
            "a string is not UTF-8"
        case .tooDeep(_, let limit):
            "messages are nested deeper than \(limit)"
        case .tooMuchMemory(_, let needed, let limit):
            "the fields so far need \(needed) bytes of memory; the message's size allows \(limit)"
        case .messageTooLarge(let bytes, let limit):
            "the message has \(bytes) bytes; its type allows \(limit)"
        }
    }
}

extension WireError: CustomStringConvertible {
    public var description: String { "message refused at byte \(offset): \(cause)" }
}
