/// Fields a message came with that this build does not know, kept so that forwarding the message
/// loses nothing.
///
/// A message that is forwarded holds one and names it first in `code(with:)`:
/// `coder.keep(&unknownFields)`.
public struct UnknownFields: Sendable, Equatable {
    /// The fields one after the other, as they came: tag, length, payload.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public var isEmpty: Bool { bytes.isEmpty }

    /// Whether the fields are the same; those of different tags may have come in another order.
    public static func == (one: UnknownFields, other: UnknownFields) -> Bool {
        if one.bytes == other.bytes { return true }
        guard one.bytes.count == other.bytes.count else { return false }
        return one.sorted().elementsEqual(other.sorted()) { $0.field == $1.field }
    }

    mutating func append(_ field: ArraySlice<UInt8>) {
        bytes.append(contentsOf: field)
    }

    /// Memory that sorting takes for each field.
    static let bytesPerSortedField = MemoryLayout<(tag: UInt32, field: ArraySlice<UInt8>)>.stride

    /// The fields in ascending order of tag, those of one tag in the order they came.
    func sorted() -> [(tag: UInt32, field: ArraySlice<UInt8>)] {
        var reader = WireReader(bytes)
        var fields: [(tag: UInt32, field: ArraySlice<UInt8>)] = []
        do {
            let outer = try reader.enter()
            var start = 0
            while let tag = try reader.nextField() {
                reader.skip()
                fields.append((tag, bytes[start..<reader.offset]))
                start = reader.offset
            }
            try reader.leave(outer)
        } catch {
            preconditionFailure("fields that were read once cannot be read again: \(error)")
        }
        return fields.sorted {
            ($0.tag, $0.field.startIndex) < ($1.tag, $1.field.startIndex)
        }
    }
}
