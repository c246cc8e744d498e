/// A number of fixed size that packed arrays hold.
public protocol WireScalar: Sendable {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger & Sendable
    /// The scalar's name in the schema.
    static var wireType: WireType { get }
    init(wireBits: Bits)
    var wireBits: Bits { get }
}

extension UInt32: WireScalar {
    public static var wireType: WireType { .u32 }
    public init(wireBits: UInt32) { self = wireBits }
    public var wireBits: UInt32 { self }
}

extension Int32: WireScalar {
    public static var wireType: WireType { .i32 }
    public init(wireBits: UInt32) { self = Int32(bitPattern: wireBits) }
    public var wireBits: UInt32 { UInt32(bitPattern: self) }
}

extension UInt64: WireScalar {
    public static var wireType: WireType { .u64 }
    public init(wireBits: UInt64) { self = wireBits }
    public var wireBits: UInt64 { self }
}

extension Float: WireScalar {
    public static var wireType: WireType { .f32 }
    public init(wireBits: UInt32) { self = Float(bitPattern: wireBits) }
    public var wireBits: UInt32 { bitPattern }
}

extension Double: WireScalar {
    public static var wireType: WireType { .f64 }
    public init(wireBits: UInt64) { self = Double(bitPattern: wireBits) }
    public var wireBits: UInt64 { bitPattern }
}
