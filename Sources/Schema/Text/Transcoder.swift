import FoundationEssentials
import Wire

/// Turns JSON into the bytes of a message and back, by the schema's text alone.
///
/// | schema | JSON |
/// |---|---|
/// | `uint`, `int`, `u32`, … | number, or its digits in a string |
/// | `f32`, `f64` | number, or `"NaN"`, `"Infinity"`, `"-Infinity"` |
/// | `string`, `bool` | as they are |
/// | `bytes` | base64 in a string |
/// | message, `map` | object |
/// | enumeration | its name, or a number |
/// | `repeated`, `packed` | array |
///
/// A field left out, or null, has its default; fields that have it are not written back.
package struct Transcoder: Sendable {
    let schema: SchemaText

    package init(_ schema: SchemaText) {
        self.schema = schema
    }

    /// The canonical bytes of the message that a JSON text describes.
    package func bytes(
        ofJSON text: String, as name: String
    ) throws(TranscodingError) -> [UInt8] {
        try bytes(of: JSONValue(parsing: text), as: name)
    }

    private func bytes(
        of value: JSONValue, as name: String
    ) throws(TranscodingError) -> [UInt8] {
        let bytes = try message(value, name, "$")
        let limit = schema.messages[name]?.maximumBytes ?? bytes.count
        guard bytes.count <= limit else {
            throw TranscodingError(
                path: "$", reason: "\(name) has \(bytes.count) bytes; its limit is \(limit)")
        }
        return bytes
    }

    // MARK: JSON to bytes

    private func message(
        _ value: JSONValue, _ name: String, _ path: String
    ) throws(TranscodingError) -> [UInt8] {
        guard let declared = schema.messages[name] else {
            throw TranscodingError(path: path, reason: "the schema declares no message \(name)")
        }
        guard case .object(let members) = value else {
            throw mismatch(path, "an object, a \(name),", value)
        }
        for member in members.keys.sorted() where declared.field(named: member) == nil {
            let known = declared.fields.map(\.name).joined(separator: ", ")
            throw TranscodingError(
                path: path, reason: "\(name) has no field \"\(member)\"; it has \(known)")
        }
        var writer = WireWriter()
        for field in declared.fields {
            guard let value = members[field.name], value != .null else { continue }
            try write(value, field.tag, field.type, "\(path).\(field.name)", &writer)
        }
        return writer.bytes
    }

    private func write(
        _ value: JSONValue, _ tag: UInt32, _ type: WireType, _ path: String,
        _ writer: inout WireWriter
    ) throws(TranscodingError) {
        switch type {
        case .optional(let type):
            writer.bytes(tag, try payload(value, type, path).bytes)
        case .repeated(let type):
            for (index, value) in try elements(value, path).enumerated() {
                writer.bytes(tag, try payload(value, type, "\(path)[\(index)]").bytes)
            }
        case .packed(let type):
            var all: [UInt8] = []
            for (index, value) in try elements(value, path).enumerated() {
                all += try payload(value, type, "\(path)[\(index)]").bytes
            }
            if !all.isEmpty { writer.bytes(tag, all) }
        case .map(let type):
            guard case .object(let members) = value else {
                throw mismatch(path, "an object", value)
            }
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (key, value) in sorted {
                let (bytes, isDefault) = try payload(value, type, "\(path).\(key)")
                var pair = WireWriter()
                if !key.isEmpty { pair.string(1, key) }
                if !isDefault { pair.bytes(2, bytes) }
                writer.bytes(tag, pair.bytes)
            }
        default:
            let (bytes, isDefault) = try payload(value, type, path)
            if !isDefault { writer.bytes(tag, bytes) }
        }
    }

    private func elements(
        _ value: JSONValue, _ path: String
    ) throws(TranscodingError) -> [JSONValue] {
        guard case .array(let elements) = value else { throw mismatch(path, "an array", value) }
        return elements
    }

    /// The bytes of one value, and whether it is its type's default.
    private func payload(
        _ value: JSONValue, _ type: WireType, _ path: String
    ) throws(TranscodingError) -> (bytes: [UInt8], isDefault: Bool) {
        switch type {
        case .uint: return varint(try number(value, path, UInt64.self))
        case .int:
            let number = try number(value, path, Int64.self)
            return varint(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
        case .bool:
            guard case .bool(let flag) = value else { throw mismatch(path, "true or false", value) }
            return varint(flag ? 1 : 0)
        case .f32:
            let bits = try single(value, path).bitPattern
            return (littleEndian(bits), bits == 0)
        case .f64:
            let bits = try double(value, path).bitPattern
            return (littleEndian(bits), bits == 0)
        case .u32: return (littleEndian(try number(value, path, UInt32.self)), false)
        case .i32:
            let number = try number(value, path, Int32.self)
            return (littleEndian(UInt32(bitPattern: number)), false)
        case .u64: return (littleEndian(try number(value, path, UInt64.self)), false)
        case .string:
            guard case .string(let text) = value else { throw mismatch(path, "a string", value) }
            return (Array(text.utf8), text.isEmpty)
        case .bytes:
            guard case .string(let text) = value, let data = Data(base64Encoded: text) else {
                throw mismatch(path, "a string of base64", value)
            }
            return (Array(data), data.isEmpty)
        case .message(let name):
            let bytes = try message(value, name, path)
            return (bytes, bytes.isEmpty)
        case .enumeration(let name): return varint(try choice(value, name, path))
        case .optional, .repeated, .packed, .map:
            throw TranscodingError(path: path, reason: "\(type) cannot stand inside another type")
        }
    }

    private func choice(
        _ value: JSONValue, _ name: String, _ path: String
    ) throws(TranscodingError) -> UInt64 {
        guard case .string(let text) = value else { return try number(value, path, UInt64.self) }
        let choices = schema.enumerations[name]?.choices ?? []
        guard let choice = choices.first(where: { $0.name == text }) else {
            let known = choices.map(\.name).joined(separator: ", ")
            throw TranscodingError(
                path: path, reason: "\"\(text)\" is no \(name); it may be \(known)")
        }
        return choice.number
    }

    private func number<Number: FixedWidthInteger>(
        _ value: JSONValue, _ path: String, _ type: Number.Type
    ) throws(TranscodingError) -> Number {
        let number: Number? =
            switch value {
            case .uint(let number): Number(exactly: number)
            case .int(let number): Number(exactly: number)
            case .double(let number): Number(exactly: number)
            case .string(let digits): Number(digits)
            default: nil
            }
        guard let number else {
            throw mismatch(path, "a whole number of \(Number.min) to \(Number.max)", value)
        }
        return number
    }

    private func single(_ value: JSONValue, _ path: String) throws(TranscodingError) -> Float {
        let double = try double(value, path)
        let single = Float(double)
        guard single.isFinite || !double.isFinite else {
            throw mismatch(path, "a number of 32 bits", value)
        }
        return single
    }

    private func double(_ value: JSONValue, _ path: String) throws(TranscodingError) -> Double {
        switch value {
        case .uint(let number): return Double(number)
        case .int(let number): return Double(number)
        case .double(let number): return number
        case .string("NaN"): return .nan
        case .string("Infinity"): return .infinity
        case .string("-Infinity"): return -.infinity
        default: throw mismatch(path, "a number", value)
        }
    }

    private func varint(_ value: UInt64) -> (bytes: [UInt8], isDefault: Bool) {
        var writer = WireWriter()
        writer.writeVarint(value)
        return (writer.bytes, value == 0)
    }

    private func littleEndian(_ bits: some FixedWidthInteger) -> [UInt8] {
        (0..<bits.bitWidth / 8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }

    private func mismatch(
        _ path: String, _ expected: String, _ value: JSONValue
    ) -> TranscodingError {
        TranscodingError(path: path, reason: "\(expected) is expected, not \(value.kind)")
    }
}
