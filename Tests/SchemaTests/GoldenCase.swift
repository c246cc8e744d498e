import Wire

/// One case of a golden file: bytes, and what they say in words any language can read.
struct GoldenCase: Codable {
    var name: String
    var hex: String
    var fields: JSONValue

    enum CodingKeys: String, CodingKey {
        case name = "case"
        case hex, fields
    }

    init(name: String, values: FieldValues) {
        self.name = name
        hex = Self.hex(values.canonicalBytes)
        fields = values.json
    }

    var bytes: [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0..<min($0 + 2, digits.count)]), radix: 16)
        }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

indirect enum JSONValue: Codable, Equatable {
    case number(Double), integer(Int64), unsigned(UInt64)
    case bool(Bool), string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .unsigned(let value): try container.encode(value)
        case .bool(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }

    /// A whole number in its one form, so that 2 and 2.0 are equal.
    init(_ value: Double) {
        self = Int64(exactly: value).map(JSONValue.integer) ?? .number(value)
    }

    init(_ value: UInt64) {
        self = Int64(exactly: value).map(JSONValue.integer) ?? .unsigned(value)
    }
}

extension FieldValues {
    /// The present fields by name; bytes as hexadecimal digits, enumerations as numbers.
    var json: JSONValue {
        .object(
            Dictionary(uniqueKeysWithValues: entries.map { ($0.field.name, $0.value.json) }))
    }
}

extension FieldValue {
    var json: JSONValue {
        switch self {
        case .uint(let value), .u64(let value): JSONValue(value)
        case .int(let value): .integer(value)
        case .u32(let value): .integer(Int64(value))
        case .i32(let value): .integer(Int64(value))
        case .bool(let value): .bool(value)
        case .f32(let value): JSONValue(Double(value))
        case .f64(let value): JSONValue(value)
        case .string(let value): .string(value)
        case .bytes(let value): .string(GoldenCase.hex(value))
        case .message(let values): values.json
        case .repeated(let values), .packed(let values): .array(values.map(\.json))
        case .map(let pairs):
            .object(Dictionary(uniqueKeysWithValues: pairs.map { ($0.key, $0.value.json) }))
        }
    }
}
