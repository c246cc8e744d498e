/// Builds the bytes of a message in one growing buffer.
///
/// Each method writes one whole field, whatever its value: leaving defaults out is the caller's
/// part (`WireCoder` does it), as is the ascending order of tags.
public struct WireWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func reserveCapacity(_ count: Int) {
        bytes.reserveCapacity(count)
    }

    /// Writes seven bits a byte, lowest first, the top bit set on all but the last.
    public mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    public mutating func uint(_ tag: UInt32, _ value: UInt64) {
        writeVarint(UInt64(tag))
        bytes.append(UInt8(truncatingIfNeeded: Self.varintBytes(value)))
        writeVarint(value)
    }

    /// Writes 0, -1, 1, -2, 2, … as 0, 1, 2, 3, 4, ….
    public mutating func int(_ tag: UInt32, _ value: Int64) {
        uint(tag, UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    public mutating func bool(_ tag: UInt32, _ value: Bool) {
        uint(tag, value ? 1 : 0)
    }

    public mutating func f32(_ tag: UInt32, _ value: Float) {
        packed(tag, CollectionOfOne(value))
    }

    public mutating func f64(_ tag: UInt32, _ value: Double) {
        packed(tag, CollectionOfOne(value))
    }

    public mutating func string(_ tag: UInt32, _ value: String) {
        header(tag, length: value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    public mutating func bytes(_ tag: UInt32, _ value: some Collection<UInt8>) {
        header(tag, length: value.count)
        bytes.append(contentsOf: value)
    }

    /// Writes fixed-size scalars one after the other, little-endian.
    public mutating func packed<Scalar: WireScalar>(
        _ tag: UInt32, _ values: some Collection<Scalar>
    ) {
        let size = Scalar.Bits.bitWidth / 8
        header(tag, length: values.count * size)
        var place = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: values.count * size))
        var span = bytes.mutableSpan
        for value in values {
            let bits = value.wireBits
            for index in 0..<size {
                span[place + index] = UInt8(truncatingIfNeeded: bits >> (8 * index))
            }
            place += size
        }
    }

    /// Writes a nested message: what `body` writes becomes the field's payload.
    public mutating func message(_ tag: UInt32, _ body: (inout WireWriter) -> Void) {
        let start = open(tag)
        body(&self)
        close(start)
    }

    /// Writes a tag and room for a length of one byte; `close` fills it in.
    mutating func open(_ tag: UInt32) -> Int {
        writeVarint(UInt64(tag))
        bytes.append(0)
        return bytes.count
    }

    /// Writes the length of what was written since `open`, moving it along if the length needs
    /// more than the one byte kept for it.
    mutating func close(_ start: Int) {
        let length = bytes.count - start
        guard length > 0x7F else {
            bytes[start - 1] = UInt8(truncatingIfNeeded: length)
            return
        }
        var prefix = WireWriter()
        prefix.writeVarint(UInt64(length))
        bytes.replaceSubrange(start - 1..<start, with: prefix.bytes)
    }

    /// Takes back an opened field of a tag that nothing was written into.
    mutating func withdraw(_ start: Int, tag: UInt32) {
        bytes.removeLast(bytes.count - start + 1 + Self.varintBytes(UInt64(tag)))
    }

    mutating func append(_ field: ArraySlice<UInt8>) {
        bytes.append(contentsOf: field)
    }

    private mutating func header(_ tag: UInt32, length: Int) {
        writeVarint(UInt64(tag))
        writeVarint(UInt64(length))
    }

    private static func varintBytes(_ value: UInt64) -> Int {
        max(1, (70 - value.leadingZeroBitCount) / 7)
    }
}
