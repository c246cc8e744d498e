import Corpus
import FoundationEssentials
import Yams

/// YAML, and so JSON too, as a JSON value; the order of keys is kept.
enum YAMLText {
    static func parse(_ text: String) throws -> JSON {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw GatewayError.badDefinition(reason: "\(error)")
        }
        guard let node else { throw GatewayError.badDefinition(reason: "it is empty") }
        return try json(node)
    }

    private static func json(_ node: Node) throws -> JSON {
        switch node {
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping {
                guard let name = key.string else {
                    throw GatewayError.badDefinition(reason: "a key is no text: \(key)")
                }
                object[name] = try json(value)
            }
            return .object(object)
        case .sequence(let sequence):
            return .array(try sequence.map(json))
        case .scalar(let scalar):
            return self.scalar(scalar)
        case .alias:
            throw GatewayError.badDefinition(reason: "aliases are not read; write the value out")
        }
    }

    /// A plain scalar is read as YAML reads it; a quoted one is text.
    private static func scalar(_ scalar: Node.Scalar) -> JSON {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if let number = Int(text) { return .int(number) }
        let looksNumeric = text.first.map { $0.isNumber || "+-.".contains($0) } ?? false
        if looksNumeric, let number = Double(text), number.isFinite { return .double(number) }
        return .string(text)
    }
}
