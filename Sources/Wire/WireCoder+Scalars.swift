extension WireCoder {
    /// An unsigned varint in an `Int`, which must not be negative; decoding refuses above 2⁶³-1.
    public mutating func uint(_ tag: UInt32, _ name: String, _ value: inout Int) {
        switch mode {
        case .encoding: if value != 0 { write(tag, uint: unsigned(value, name)) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.nonNegative() }
        case .describing: describe(tag, name, .uint)
        }
    }

    /// An unsigned varint that is present even when 0.
    public mutating func uint(_ tag: UInt32, _ name: String, _ value: inout Int?) {
        switch mode {
        case .encoding: if let value { write(tag, uint: unsigned(value, name)) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.nonNegative() }
        case .describing: describe(tag, name, .optional(.uint))
        }
    }

    /// An unsigned varint of all 64 bits.
    public mutating func uint(_ tag: UInt32, _ name: String, _ value: inout UInt64) {
        switch mode {
        case .encoding: if value != 0 { write(tag, uint: value) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.uint() }
        case .describing: describe(tag, name, .uint)
        }
    }

    /// An unsigned varint of all 64 bits that is present even when 0.
    public mutating func uint(_ tag: UInt32, _ name: String, _ value: inout UInt64?) {
        switch mode {
        case .encoding: if let value { write(tag, uint: value) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.uint() }
        case .describing: describe(tag, name, .optional(.uint))
        }
    }

    /// A zigzag varint.
    public mutating func int(_ tag: UInt32, _ name: String, _ value: inout Int) {
        switch mode {
        case .encoding:
            if value != 0 {
                precede(tag)
                writer.int(tag, Int64(value))
            }
        case .decoding: take(tag) { reader throws(WireError) in value = Int(try reader.int()) }
        case .describing: describe(tag, name, .int)
        }
    }

    public mutating func bool(_ tag: UInt32, _ name: String, _ value: inout Bool) {
        switch mode {
        case .encoding: if value { write(tag, uint: 1) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.bool() }
        case .describing: describe(tag, name, .bool)
        }
    }

    /// A truth value that is present even when false.
    public mutating func bool(_ tag: UInt32, _ name: String, _ value: inout Bool?) {
        switch mode {
        case .encoding: if let value { write(tag, uint: value ? 1 : 0) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.bool() }
        case .describing: describe(tag, name, .optional(.bool))
        }
    }

    /// Four bytes; every bit pattern survives, and only +0 is the default.
    public mutating func f32(_ tag: UInt32, _ name: String, _ value: inout Float) {
        switch mode {
        case .encoding:
            if value.bitPattern != 0 {
                precede(tag)
                writer.f32(tag, value)
            }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.f32() }
        case .describing: describe(tag, name, .f32)
        }
    }

    /// Eight bytes; every bit pattern survives, and only +0 is the default.
    public mutating func f64(_ tag: UInt32, _ name: String, _ value: inout Double) {
        switch mode {
        case .encoding: if value.bitPattern != 0 { write(tag, f64: value) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.f64() }
        case .describing: describe(tag, name, .f64)
        }
    }

    /// Eight bytes that are present even when 0.
    public mutating func f64(_ tag: UInt32, _ name: String, _ value: inout Double?) {
        switch mode {
        case .encoding: if let value { write(tag, f64: value) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.f64() }
        case .describing: describe(tag, name, .optional(.f64))
        }
    }

    public mutating func string(_ tag: UInt32, _ name: String, _ value: inout String) {
        switch mode {
        case .encoding: if !value.isEmpty { write(tag, string: value) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.string() }
        case .describing: describe(tag, name, .string)
        }
    }

    /// A string that is present even when empty.
    public mutating func string(_ tag: UInt32, _ name: String, _ value: inout String?) {
        switch mode {
        case .encoding: if let value { write(tag, string: value) }
        case .decoding: take(tag) { reader throws(WireError) in value = try reader.string() }
        case .describing: describe(tag, name, .optional(.string))
        }
    }

    public mutating func bytes(_ tag: UInt32, _ name: String, _ value: inout [UInt8]) {
        switch mode {
        case .encoding:
            if !value.isEmpty {
                precede(tag)
                writer.bytes(tag, value)
            }
        case .decoding: take(tag) { reader throws(WireError) in value = reader.bytes() }
        case .describing: describe(tag, name, .bytes)
        }
    }

    @inlinable public mutating func enumeration<Choice: WireEnum>(
        _ tag: UInt32, _ name: String, _ value: inout Choice
    ) {
        var number = value.number
        if choice(tag, name, Choice.wireName, &number) {
            value = Choice(number: number)
        }
    }

    /// An enumeration's number; returns whether it was decoded.
    @usableFromInline mutating func choice(
        _ tag: UInt32, _ name: String, _ type: String, _ number: inout UInt64
    ) -> Bool {
        switch mode {
        case .encoding: if number != 0 { write(tag, uint: number) }
        case .decoding:
            guard isNext(tag) else { return false }
            take(tag) { reader throws(WireError) in number = try reader.uint() }
            return true
        case .describing: describe(tag, name, .enumeration(type))
        }
        return false
    }

    private func unsigned(_ value: Int, _ name: String) -> UInt64 {
        precondition(value >= 0, "\(name) is \(value); this field holds no negative numbers")
        return UInt64(value)
    }

    private mutating func write(_ tag: UInt32, uint value: UInt64) {
        precede(tag)
        writer.uint(tag, value)
    }

    private mutating func write(_ tag: UInt32, f64 value: Double) {
        precede(tag)
        writer.f64(tag, value)
    }

    private mutating func write(_ tag: UInt32, string value: String) {
        precede(tag)
        writer.string(tag, value)
    }
}

extension WireReader {
    mutating func nonNegative() throws(WireError) -> Int {
        Int(try uint(limit: UInt64(Int.max)))
    }
}
