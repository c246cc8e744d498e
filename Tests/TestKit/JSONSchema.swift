public import Corpus

/// As much of JSON Schema as OpenAI's description of its API uses.
public struct JSONSchema: Sendable {
    public let document: JSON

    public init(document: JSON) {
        self.document = document
    }

    /// What is wrong with a value, or nil if it fits the named schema.
    public func fault(_ value: JSON, _ name: String) -> String? {
        guard let schema = document["components"]?["schemas"]?[name] else { return "no \(name)" }
        return fault(value, schema, at: name)
    }

    private func fault(_ value: JSON, _ schema: JSON, at place: String) -> String? {
        if value.isNull, schema["nullable"]?.boolValue == true { return nil }
        if let reference = schema["$ref"]?.stringValue,
            let name = reference.split(separator: "/").last
        {
            return fault(value, String(name))
        }
        if let all = schema["allOf"]?.arrayValue {
            for part in all { if let fault = fault(value, part, at: place) { return fault } }
        }
        if let any = (schema["anyOf"] ?? schema["oneOf"])?.arrayValue {
            let faults = any.map { fault(value, $0, at: place) }
            if !faults.contains(nil) { return faults.compactMap(\.self).joined(separator: "; ") }
        }
        if let allowed = schema["enum"]?.arrayValue, !allowed.contains(value) {
            return "\(place): \(value) is none of \(allowed)"
        }
        return typeFault(value, schema, at: place) ?? partFault(value, schema, at: place)
    }

    private func typeFault(_ value: JSON, _ schema: JSON, at place: String) -> String? {
        let types: [String] =
            schema["type"]?.stringValue.map { [$0] }
            ?? schema["type"]?.arrayValue?.compactMap(\.stringValue) ?? []
        if types.isEmpty || types.contains(where: { fits(value, $0) }) { return nil }
        return "\(place): \(value) is no \(types)"
    }

    private func fits(_ value: JSON, _ type: String) -> Bool {
        switch type {
        case "null": value.isNull
        case "string": value.stringValue != nil
        case "boolean": value.boolValue != nil
        case "integer": value.intValue != nil
        case "number": value.doubleValue != nil
        case "array": value.arrayValue != nil
        case "object": value.objectValue != nil
        default: false
        }
    }

    private func partFault(_ value: JSON, _ schema: JSON, at place: String) -> String? {
        for element in value.arrayValue ?? [] {
            guard let items = schema["items"] else { break }
            if let fault = fault(element, items, at: place + "[]") { return fault }
        }
        guard let object = value.objectValue else { return nil }
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
        where object[name] == nil {
            return "\(place): \(name) is missing"
        }
        for member in schema["properties"]?.objectValue ?? JSONObject() {
            guard let part = object[member.key] else { continue }
            if let fault = fault(part, member.value, at: "\(place).\(member.key)") { return fault }
        }
        return nil
    }
}
