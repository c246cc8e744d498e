import FoundationEssentials

/// A JSON value whose whole numbers keep all their digits.
enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case uint(UInt64)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// - Throws: `TranscodingError`, where the text is not one JSON value.
    init(parsing text: String) throws(TranscodingError) {
        do {
            self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch DecodingError.dataCorrupted(let context) {
            let cause = context.underlyingError.map { ": \($0)" } ?? ""
            throw TranscodingError(
                path: Self.path(context.codingPath), reason: context.debugDescription + cause)
        } catch {
            throw TranscodingError(path: "$", reason: "the text is not JSON: \(error)")
        }
    }

    /// Such as `$.inputs[2].name`.
    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("$") { path, key in
            key.intValue.map { "\(path)[\($0)]" } ?? "\(path).\(key.stringValue)"
        }
    }

    /// What the value is, as an error says it.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .uint(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let text): text.count > 40 ? "a string" : "\"\(text)\""
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// A string as JSON writes it, with its quotes.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension JSONValue: Decodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        // What holds others comes first: whoever asks it for a number pays for each level above.
        if let members = try? decoder.container(keyedBy: Key.self) {
            var object: [String: JSONValue] = [:]
            for key in members.allKeys {
                object[key.stringValue] = try members.decode(JSONValue.self, forKey: key)
            }
            self = .object(object)
        } else if var elements = try? decoder.unkeyedContainer() {
            var array: [JSONValue] = []
            while !elements.isAtEnd { array.append(try elements.decode(JSONValue.self)) }
            self = .array(array)
        } else {
            try self.init(single: decoder.singleValueContainer())
        }
    }

    private init(single container: any SingleValueDecodingContainer) throws {
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(UInt64.self) {
            // -0 is another number than 0 where it stands for a Double.
            let double = value == 0 ? try container.decode(Double.self) : 0
            self = double.sign == .minus ? .double(double) : .uint(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "it is no number of 64 bits, and no valid text")
        }
    }
}

/// Why JSON is not the message it should be, or bytes are not.
package struct TranscodingError: Error, Equatable, CustomStringConvertible {
    /// Where, such as `$.inputs[2].dataset.name`.
    package let path: String
    package let reason: String

    package var description: String { "\(path): \(reason)" }
}
