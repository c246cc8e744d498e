/// One field of a message as its codec names it; the schema says the same in text.
public struct WireField: Sendable, Equatable {
    public var tag: UInt32
    public var name: String
    public var type: WireType

    public init(tag: UInt32, name: String, type: WireType) {
        self.tag = tag
        self.name = name
        self.type = type
    }
}

/// What a field holds, in the schema's words.
public indirect enum WireType: Sendable, Equatable {
    case uint, int, bool, f32, f64, string, bytes
    /// Scalars that occur in packed arrays only.
    case u32, i32, u64
    /// A nested message or an enumeration, by full name.
    case message(String), enumeration(String)
    case optional(WireType), repeated(WireType), packed(WireType)
    /// String keys; the type is that of the values.
    case map(WireType)
}

extension WireType: CustomStringConvertible {
    /// The type as the schema writes it: `map<string, f64>`.
    public var description: String {
        switch self {
        case .uint: "uint"
        case .int: "int"
        case .bool: "bool"
        case .f32: "f32"
        case .f64: "f64"
        case .string: "string"
        case .bytes: "bytes"
        case .u32: "u32"
        case .i32: "i32"
        case .u64: "u64"
        case .message(let name), .enumeration(let name): name
        case .optional(let type): "optional \(type)"
        case .repeated(let type): "repeated \(type)"
        case .packed(let type): "packed \(type)"
        case .map(let type): "map<string, \(type)>"
        }
    }
}
