import FoundationEssentials
package import Wire

extension Transcoder {
    /// The JSON of a message's bytes, its fields in the schema's order; fields that the schema does
    /// not know are left out.
    package func json(of bytes: [UInt8], as name: String) throws(WireError) -> String {
        var reader = WireReader(bytes)
        // The reader's first payload is the whole message.
        return try reader.message { reader throws(WireError) in try object(&reader, name) }
    }

    private func object(
        _ reader: inout WireReader, _ name: String
    ) throws(WireError) -> String {
        let fields = schema.messages[name]?.fields ?? []
        var single: [UInt32: String] = [:]
        var many: [UInt32: [String]] = [:]
        var maps: [UInt32: Pairs] = [:]
        while let tag = try reader.nextField() {
            guard let field = fields.first(where: { $0.tag == tag }) else {
                reader.skip()
                continue
            }
            switch field.type {
            case .optional(let type): single[tag] = try value(&reader, type)
            case .repeated(let type): many[tag, default: []].append(try value(&reader, type))
            case .packed(let type): many[tag] = try packed(&reader, type)
            case .map(let type):
                let (key, text) = try pair(&reader, type)
                maps[tag, default: Pairs()].set(key, text)
            default: single[tag] = try value(&reader, field.type)
            }
        }
        let members = fields.compactMap { field -> String? in
            if let value = single[field.tag] { return "\"\(field.name)\":\(value)" }
            if let pairs = maps[field.tag] { return "\"\(field.name)\":{\(pairs.text)}" }
            return many[field.tag].map { "\"\(field.name)\":[\($0.joined(separator: ","))]" }
        }
        return "{\(members.joined(separator: ","))}"
    }

    private func value(
        _ reader: inout WireReader, _ type: WireType
    ) throws(WireError) -> String {
        switch type {
        case .uint: return "\(try reader.uint())"
        case .int: return "\(try reader.int())"
        case .bool: return "\(try reader.bool())"
        case .f32: return Self.number(try reader.f32())
        case .f64: return Self.number(try reader.f64())
        case .string: return JSONValue.quoted(try reader.string())
        case .bytes: return "\"\(Data(reader.bytes()).base64EncodedString())\""
        case .enumeration(let name):
            let number = try reader.uint()
            let choice = schema.enumerations[name]?.choices.first { $0.number == number }
            return choice.map { "\"\($0.name)\"" } ?? "\(number)"
        case .message(let name):
            return try reader.message { reader throws(WireError) in try object(&reader, name) }
        case .u32, .i32, .u64, .optional, .repeated, .packed, .map:
            // The schema's parser lets none of these stand here.
            reader.skip()
            return "null"
        }
    }

    private func packed(
        _ reader: inout WireReader, _ type: WireType
    ) throws(WireError) -> [String] {
        switch type {
        case .u32: try reader.packed(of: UInt32.self).map { "\($0)" }
        case .i32: try reader.packed(of: Int32.self).map { "\($0)" }
        case .u64: try reader.packed(of: UInt64.self).map { "\($0)" }
        case .f32: try reader.packed(of: Float.self).map { Self.number($0) }
        default: try reader.packed(of: Double.self).map { Self.number($0) }
        }
    }

    /// A map's key, and the text of its value.
    private func pair(
        _ reader: inout WireReader, _ type: WireType
    ) throws(WireError) -> (key: String, text: String) {
        try reader.message { reader throws(WireError) in
            var key = ""
            var text = Self.preset(type)
            while let tag = try reader.nextField() {
                switch tag {
                case 1: key = try reader.string()
                case 2: text = try value(&reader, type)
                default: reader.skip()
                }
            }
            return (key, text)
        }
    }

    /// The default of a map's value.
    private static func preset(_ type: WireType) -> String {
        switch type {
        case .string, .bytes: "\"\""
        case .bool: "false"
        case .message: "{}"
        default: "0"
        }
    }

    private static func number<Number: BinaryFloatingPoint & CustomStringConvertible>(
        _ value: Number
    ) -> String {
        if value.isNaN { return "\"NaN\"" }
        if value.isInfinite { return value < 0 ? "\"-Infinity\"" : "\"Infinity\"" }
        return value.description
    }
}

/// The members of a map in the order they came; of a key that comes again the last value holds, as
/// a message's decoder has it.
private struct Pairs {
    private var texts: [String] = []
    private var places: [String: Int] = [:]

    mutating func set(_ key: String, _ text: String) {
        let member = "\(JSONValue.quoted(key)):\(text)"
        if let place = places[key] {
            texts[place] = member
        } else {
            places[key] = texts.count
            texts.append(member)
        }
    }

    var text: String { texts.joined(separator: ",") }
}
