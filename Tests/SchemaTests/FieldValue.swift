import Wire

/// A message without a Swift type: the values of its present fields, in ascending order of tag.
struct FieldValues: Equatable {
    struct Entry: Equatable {
        let field: WireField
        let value: FieldValue
    }

    var entries: [Entry] = []

    subscript(name: String) -> FieldValue? {
        entries.first { $0.field.name == name }?.value
    }
}

indirect enum FieldValue: Equatable {
    /// Also enumerations.
    case uint(UInt64)
    case int(Int64)
    case bool(Bool)
    case f32(Float)
    case f64(Double)
    /// Only in packed arrays.
    case u32(UInt32), i32(Int32), u64(UInt64)
    case string(String)
    case bytes([UInt8])
    case message(FieldValues)
    case repeated([FieldValue])
    case packed([FieldValue])
    /// Sorted by the keys' bytes.
    case map([Pair])

    struct Pair: Equatable {
        var key: String
        var value: FieldValue
    }
}

// MARK: - Bytes: a second writer, which shares nothing with the module it checks

extension FieldValues {
    var canonicalBytes: [UInt8] {
        entries.flatMap { Self.bytes(of: $0.field.tag, $0.value) }
    }

    /// Each field's bytes apart, so that a test can change their order.
    var fieldBytes: [[UInt8]] {
        entries.map { Self.bytes(of: $0.field.tag, $0.value) }
    }

    static func bytes(of tag: UInt32, _ value: FieldValue) -> [UInt8] {
        switch value {
        case .repeated(let values):
            return values.flatMap { field(tag, $0.payload) }
        case .map(let pairs):
            return pairs.flatMap { pair in
                var payload: [UInt8] = []
                if !pair.key.isEmpty { payload += field(1, Array(pair.key.utf8)) }
                if !pair.value.isDefault { payload += field(2, pair.value.payload) }
                return field(tag, payload)
            }
        default:
            return field(tag, value.payload)
        }
    }

    static func field(_ tag: UInt32, _ payload: [UInt8]) -> [UInt8] {
        varint(UInt64(tag)) + varint(UInt64(payload.count)) + payload
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        value < 128
            ? [UInt8(value)] : [UInt8(value % 128) + 128] + varint(value / 128)
    }
}

extension FieldValue {
    var payload: [UInt8] {
        switch self {
        case .uint(let value): FieldValues.varint(value)
        case .int(let value):
            FieldValues.varint(value < 0 ? value.magnitude * 2 - 1 : UInt64(value) * 2)
        case .bool(let value): [value ? 1 : 0]
        case .f32(let value): Self.littleEndian(UInt64(value.bitPattern), 4)
        case .f64(let value): Self.littleEndian(value.bitPattern, 8)
        case .u32(let value): Self.littleEndian(UInt64(value), 4)
        case .i32(let value): Self.littleEndian(UInt64(UInt32(bitPattern: value)), 4)
        case .u64(let value): Self.littleEndian(value, 8)
        case .string(let value): Array(value.utf8)
        case .bytes(let value): value
        case .message(let values): values.canonicalBytes
        case .packed(let values): values.flatMap(\.payload)
        case .repeated, .map: []
        }
    }

    var isDefault: Bool {
        switch self {
        case .uint(let value): value == 0
        case .int(let value): value == 0
        case .bool(let value): !value
        case .f32(let value): value.bitPattern == 0
        case .f64(let value): value.bitPattern == 0
        case .u32, .i32, .u64: false
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .message(let values): values.entries.isEmpty
        case .repeated(let values), .packed(let values): values.isEmpty
        case .map(let pairs): pairs.isEmpty
        }
    }

    static func littleEndian(_ bits: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
}
