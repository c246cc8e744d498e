import Schema
import Wire

/// Compares a message's Swift properties, seen by reflection, with values made from the schema.
enum Agreement {
    /// What differs, as `DatasetVersion.bytes: 5 is not uint(6)`; empty where all agrees.
    static func differences(
        _ message: any WireMessage, _ values: FieldValues, _ schema: SchemaText
    ) -> [String] {
        let name = type(of: message).wireName
        let properties = Dictionary(
            uniqueKeysWithValues: Mirror(reflecting: message).children.map {
                ($0.label ?? "", $0.value)
            })
        let defaults = Dictionary(
            uniqueKeysWithValues: Mirror(reflecting: type(of: message).init()).children.map {
                ($0.label ?? "", $0.value)
            })
        var differences: [String] = []
        for field in schema.messages[name]?.fields ?? [] {
            guard let property = properties[field.name], let preset = defaults[field.name] else {
                differences.append("\(name).\(field.name) is no property")
                continue
            }
            if let value = values[field.name] {
                if !holds(property, value, schema) {
                    differences.append("\(name).\(field.name): \(property) is not \(value)")
                }
            } else if "\(property)" != "\(preset)" {
                differences.append("\(name).\(field.name): \(property) is not \(preset)")
            }
        }
        return differences
    }

    private static func holds(_ property: Any, _ value: FieldValue, _ schema: SchemaText) -> Bool {
        let mirror = Mirror(reflecting: property)
        if mirror.displayStyle == .optional {
            guard let wrapped = mirror.children.first?.value else { return false }
            return holds(wrapped, value, schema)
        }
        return switch value {
        case .uint(let number):
            if let choice = property as? any WireEnum {
                choice.number == number
            } else {
                (property as? Int).map(UInt64.init) == number || property as? UInt64 == number
            }
        case .int(let number): property as? Int == Int(number)
        case .bool(let value): property as? Bool == value
        case .f32(let value): (property as? Float)?.bitPattern == value.bitPattern
        case .f64(let value): (property as? Double)?.bitPattern == value.bitPattern
        case .u32(let value): property as? UInt32 == value
        case .i32(let value): property as? Int32 == value
        case .u64(let value): property as? UInt64 == value
        case .string(let value): property as? String == value
        case .bytes(let value): property as? [UInt8] == value
        case .message(let values):
            (property as? any WireMessage).map { differences($0, values, schema).isEmpty } ?? false
        case .repeated(let values), .packed(let values):
            mirror.children.count == values.count
                && zip(mirror.children, values).allSatisfy { holds($0.value, $1, schema) }
        case .map(let pairs):
            mirror.children.count == pairs.count
                && pairs.allSatisfy { pair in
                    mapValue(property, pair.key).map { holds($0, pair.value, schema) } ?? false
                }
        }
    }

    private static func mapValue(_ map: Any, _ key: String) -> Any? {
        (map as? [String: String])?[key] ?? (map as? [String: Int])?[key]
            ?? (map as? [String: Double])?[key]
    }
}
