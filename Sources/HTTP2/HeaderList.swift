import Glibc

/// Header fields in order, kept as one run of bytes so that a list costs two allocations.
///
/// ```
/// bytes:  :path/hone.Data/Liststetrailers…
/// fields: (start 0, name 5, value 15) (start 20, name 2, value 8) …
/// ```
public struct HeaderList: Sendable, Equatable {
    struct Field: Sendable, Equatable {
        let start: UInt32
        let nameCount: UInt32
        let valueCount: UInt32
        let kind: HeaderName
    }

    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Field] = []

    public init() {}

    public init(_ pairs: [(name: String, value: String)]) {
        for pair in pairs { append(pair.name, pair.value) }
    }

    public var count: Int { fields.count }

    /// How large a list can be sent, by ``listBytes``.
    public static let longestSent: Int = (64 << 10) - 64

    /// The size that SETTINGS_MAX_HEADER_LIST_SIZE limits: names, values and 32 for each field.
    public var listBytes: Int { bytes.count + 32 * fields.count }

    /// Appends a field; the name must be in lower case.
    public mutating func append(_ name: String, _ value: String) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8)
        let middle = bytes.count
        bytes.append(contentsOf: value.utf8)
        let kind = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe HeaderName.of(UnsafeBufferPointer(rebasing: bytes[start..<middle]))
        }
        fields.append(
            Field(
                start: UInt32(start), nameCount: UInt32(middle - start),
                valueCount: UInt32(bytes.count - middle), kind: kind))
    }

    public mutating func append(contentsOf other: HeaderList) {
        let shift = UInt32(bytes.count)
        bytes.append(contentsOf: other.bytes)
        for field in other.fields {
            fields.append(
                Field(
                    start: field.start + shift, nameCount: field.nameCount,
                    valueCount: field.valueCount, kind: field.kind))
        }
    }

    mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        fields.append(
            Field(
                start: UInt32(bytes.count), nameCount: UInt32(name.count),
                valueCount: UInt32(value.count), kind: unsafe HeaderName.of(name)))
        unsafe bytes.append(contentsOf: name)
        unsafe bytes.append(contentsOf: value)
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    public func name(at index: Int) -> String {
        String(decoding: nameBytes(at: index), as: UTF8.self)
    }

    public func value(at index: Int) -> String {
        String(decoding: valueBytes(at: index), as: UTF8.self)
    }

    public func nameBytes(at index: Int) -> ArraySlice<UInt8> {
        let field = fields[index]
        return bytes[Int(field.start)..<Int(field.start + field.nameCount)]
    }

    public func valueBytes(at index: Int) -> ArraySlice<UInt8> {
        let field = fields[index]
        let start = Int(field.start + field.nameCount)
        return bytes[start..<start + Int(field.valueCount)]
    }

    /// Whether the field bears this name, found without making a string.
    public func isNamed(_ name: String, at index: Int) -> Bool {
        let field = fields[index]
        guard Int(field.nameCount) == name.utf8.count else { return false }
        return nameBytes(at: index).elementsEqual(name.utf8)
    }

    /// Which of the names gRPC's layer reads a field bears.
    public func kind(at index: Int) -> HeaderName { fields[index].kind }

    /// The bytes of the first field of a name that gRPC's layer reads.
    public func firstBytes(_ kind: HeaderName) -> ArraySlice<UInt8>? {
        for index in fields.indices where fields[index].kind == kind {
            return valueBytes(at: index)
        }
        return nil
    }

    /// The first value of a name that gRPC's layer reads.
    public func first(_ kind: HeaderName) -> String? {
        firstBytes(kind).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the first field of a name has these bytes, or begins with them.
    public func isFirst(_ kind: HeaderName, _ text: StaticString, orPrefix: Bool = false) -> Bool {
        guard let value = firstBytes(kind) else { return false }
        let count = text.utf8CodeUnitCount
        guard orPrefix ? value.count >= count : value.count == count else { return false }
        return unsafe value.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return count == 0 }
            return unsafe memcmp(base, text.utf8Start, count) == 0
        }
    }

    /// Whether the first field of a name has these bytes.
    public func isFirst(_ kind: HeaderName, _ value: [UInt8]) -> Bool {
        guard let field = fields.first(where: { $0.kind == kind }),
            Int(field.valueCount) == value.count
        else { return false }
        return unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return true }
            // The field lies within the bytes, and is as long as the value.
            return unsafe memcmp(base + Int(field.start + field.nameCount), value, value.count) == 0
        }
    }

    /// The bytes of the first field of a name.
    public func firstBytes(_ name: String) -> ArraySlice<UInt8>? {
        for index in fields.indices where isNamed(name, at: index) {
            return valueBytes(at: index)
        }
        return nil
    }

    /// The first value of a name.
    public func first(_ name: String) -> String? {
        firstBytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Every field as a pair of strings.
    public var pairs: [(name: String, value: String)] {
        fields.indices.map { (name(at: $0), value(at: $0)) }
    }
}
