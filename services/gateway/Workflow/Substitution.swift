package import Corpus

/// Replaces `${name}` by a parameter's value and `${steps.name.field}` by what a step gave.
///
/// A text that is one reference alone becomes the value itself, number or object; inside a longer
/// text the value is written out. `$${` stands for `${`.
package struct Substitution: Sendable {
    private let values: [String: JSON]
    private let results: [String: JSON]

    package init(values: [String: JSON], results: [String: JSON] = [:]) {
        self.values = values
        self.results = results
    }

    package func apply(to value: JSON, step: String) throws -> JSON {
        switch value {
        case .string(let text): return try apply(to: text, step: step)
        case .array(let elements): return .array(try elements.map { try apply(to: $0, step: step) })
        case .object(let object):
            return .object(
                JSONObject(
                    try object.members.map { ($0.key, try apply(to: $0.value, step: step)) }))
        case .null, .bool, .number: return value
        }
    }

    private func apply(to text: String, step: String) throws -> JSON {
        let pieces = Self.pieces(of: text)
        if pieces.count == 1, case .reference(let name) = pieces[0] {
            return try look(up: name, step: step)
        }
        return .string(
            try pieces.map { piece in
                switch piece {
                case .text(let text): return text
                case .reference(let name):
                    let value = try look(up: name, step: step)
                    return value.stringValue ?? value.text()
                }
            }.joined())
    }

    private func look(up name: String, step: String) throws -> JSON {
        if let value = values[name] { return value }
        let path = name.split(separator: ".").map(String.init)
        if path.first == "steps", path.count >= 2, var value = results[path[1]] {
            for key in path.dropFirst(2) {
                guard let next = value[key] ?? Int(key).flatMap({ value[$0] }) else {
                    throw GatewayError.unknownReference(text: name, step: step)
                }
                value = next
            }
            return value
        }
        throw GatewayError.unknownReference(text: name, step: step)
    }

    /// The names all references in a value bear.
    static func references(in value: JSON) -> [String] {
        switch value {
        case .string(let text):
            pieces(of: text).compactMap { if case .reference(let name) = $0 { name } else { nil } }
        case .array(let elements): elements.flatMap(references(in:))
        case .object(let object): object.members.flatMap { references(in: $0.value) }
        case .null, .bool, .number: []
        }
    }

    private enum Piece {
        case text(String), reference(String)
    }

    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var plain = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            plain += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                plain += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${"), let end = rest.firstIndex(of: "}") {
                if !plain.isEmpty { pieces.append(.text(plain)) }
                plain = ""
                pieces.append(.reference(String(rest.dropFirst(2).prefix(upTo: end))))
                rest = rest[rest.index(after: end)...]
            } else {
                plain += "$"
                rest = rest.dropFirst()
            }
        }
        plain += rest
        if !plain.isEmpty || pieces.isEmpty { pieces.append(.text(plain)) }
        return pieces
    }
}
