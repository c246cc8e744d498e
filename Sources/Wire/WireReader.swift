/// Takes a message's bytes apart, field by field, and never past the end of the field it is in.
///
/// ```
/// ┌ message ──────────────────────────────────────────┐
/// │ tag length payload │ tag length payload │ …        │
/// │            ▲      ▲                                ▲
/// │       offset      payloadEnd              messageEnd
/// ```
/// `nextField()` moves to the next payload; the method named after the field's type then takes
/// the payload whole. After an error the reader is of no further use.
public struct WireReader: Sendable {
    /// The most messages inside one another, the outermost counted.
    public static let maximumDepth = 32

    /// The place of the next byte to read, counted from the first byte of all.
    public private(set) var offset = 0
    let source: [UInt8]
    private var payloadEnd: Int
    private var messageEnd: Int
    private var depth = 0
    private var memory = 0

    /// A reader whose first payload is the whole of `bytes`.
    public init(_ bytes: [UInt8]) {
        source = bytes
        payloadEnd = bytes.count
        messageEnd = bytes.count
    }

    /// Memory that decoded collections may take: 16 bytes for each byte of the message, and 64 KiB.
    ///
    /// An empty nested message has two bytes on the wire and perhaps two hundred in memory; this
    /// keeps a hostile list of them from growing a hundredfold.
    private var memoryLimit: Int { source.count * 16 + 65_536 }

    /// Moves to the next field's payload and returns its tag; nil at the message's end.
    ///
    /// - Throws: also if the payload before was not taken whole.
    public mutating func nextField() throws(WireError) -> UInt32? {
        try finishPayload()
        guard offset < messageEnd else { return nil }
        let start = offset
        let tag = try varint(before: messageEnd)
        guard let known = UInt32(exactly: tag), known > 0 else {
            throw .invalidTag(offset: start, tag: tag)
        }
        let lengthOffset = offset
        let length = try varint(before: messageEnd)
        guard length <= UInt64(messageEnd - offset) else {
            throw .lengthBeyondEnd(
                offset: lengthOffset, length: length, available: messageEnd - offset)
        }
        payloadEnd = offset + Int(length)
        return known
    }

    /// Passes over what is left of the payload.
    public mutating func skip() {
        offset = payloadEnd
    }

    /// Reads one varint from the payload, which may hold more.
    public mutating func readVarint() throws(WireError) -> UInt64 {
        try varint(before: payloadEnd)
    }

    public mutating func uint(limit: UInt64 = .max) throws(WireError) -> UInt64 {
        let start = offset
        let value = try varint(before: payloadEnd)
        guard value <= limit else {
            throw .valueOutOfRange(offset: start, value: value, limit: limit)
        }
        try finishPayload()
        return value
    }

    public mutating func int() throws(WireError) -> Int64 {
        let value = try uint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    public mutating func bool() throws(WireError) -> Bool {
        try uint(limit: 1) == 1
    }

    public mutating func f32() throws(WireError) -> Float {
        Float(wireBits: try fixed())
    }

    public mutating func f64() throws(WireError) -> Double {
        Double(wireBits: try fixed())
    }

    public mutating func string() throws(WireError) -> String {
        let payload = offset..<payloadEnd
        defer { offset = payloadEnd }
        do {
            return String(copying: try UTF8Span(validating: source.span.extracting(payload)))
        } catch {
            throw .invalidUTF8(offset: payload.lowerBound + error.byteOffsets.lowerBound)
        }
    }

    public mutating func bytes() -> [UInt8] {
        defer { offset = payloadEnd }
        return Array(source[offset..<payloadEnd])
    }

    public mutating func packed<Scalar: WireScalar>(
        of type: Scalar.Type = Scalar.self
    ) throws(WireError) -> [Scalar] {
        let size = Scalar.Bits.bitWidth / 8
        let available = payloadEnd - offset
        guard available.isMultiple(of: size) else {
            throw .brokenElement(offset: offset, elementBytes: size, actual: available)
        }
        defer { offset = payloadEnd }
        return Self.scalars(source.span.extracting(offset..<payloadEnd))
    }

    /// Reads the payload as a nested message: `body` calls `nextField()` until it returns nil.
    public mutating func message<Value>(
        _ body: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        let outer = try enter()
        let value = try body(&self)
        try leave(outer)
        return value
    }

    /// Makes the payload the message that `nextField()` walks through.
    ///
    /// - Returns: what `leave` needs to come back.
    mutating func enter() throws(WireError) -> Int {
        guard depth < Self.maximumDepth else {
            throw .tooDeep(offset: offset, limit: Self.maximumDepth)
        }
        depth += 1
        let outer = messageEnd
        messageEnd = payloadEnd
        payloadEnd = offset
        return outer
    }

    mutating func leave(_ outer: Int) throws(WireError) {
        payloadEnd = messageEnd
        messageEnd = outer
        depth -= 1
        try finishPayload()
    }

    /// Accounts for memory that a decoded element takes besides the bytes it is copied from.
    mutating func claim(_ bytes: Int) throws(WireError) {
        memory += bytes
        guard memory <= memoryLimit else {
            throw .tooMuchMemory(offset: offset, needed: memory, limit: memoryLimit)
        }
    }

    /// The bytes from `start` to the end of the payload.
    func field(from start: Int) -> ArraySlice<UInt8> {
        source[start..<payloadEnd]
    }

    private func finishPayload() throws(WireError) {
        guard offset == payloadEnd else {
            throw .trailingBytes(offset: offset, count: payloadEnd - offset)
        }
    }

    /// Reads the payload as one scalar.
    private mutating func fixed<Bits: FixedWidthInteger>() throws(WireError) -> Bits {
        let size = Bits.bitWidth / 8
        guard payloadEnd - offset == size else {
            throw .wrongLength(offset: offset, expected: size, actual: payloadEnd - offset)
        }
        var bits: Bits = 0
        for index in 0..<size {
            bits |= Bits(source[offset + index]) << (8 * index)
        }
        offset = payloadEnd
        return bits
    }

    /// Reads scalars one after the other; the span is a multiple of their size.
    private static func scalars<Scalar: WireScalar>(_ bytes: Span<UInt8>) -> [Scalar] {
        let size = Scalar.Bits.bitWidth / 8
        var values: [Scalar] = []
        values.reserveCapacity(bytes.count / size)
        for place in stride(from: 0, to: bytes.count, by: size) {
            var bits: Scalar.Bits = 0
            for index in 0..<size {
                bits |= Scalar.Bits(bytes[place + index]) << (8 * index)
            }
            values.append(Scalar(wireBits: bits))
        }
        return values
    }

    private mutating func varint(before end: Int) throws(WireError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = source[offset]
            offset += 1
            if shift == 63, byte > 1 {
                throw .varintTooLong(offset: start)
            }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                guard byte > 0 || shift == 0 else { throw .varintNotMinimal(offset: start) }
                return value
            }
            shift += 7
        }
        throw .truncated(offset: start)
    }
}
