package import Corpus

/// A workflow as it was written: parameters with their defaults, and steps.
///
/// ```yaml
/// name: example
/// parameters:
///   steps: 300            # a default
///   chains:               # without one: must be given
/// steps:
///   - name: chains
///     kind: import
///     path: ${chains}
///   - name: train
///     kind: train
///     dataset: ${steps.chains.dataset}
///     after: [chains]     # without it: after the step above
/// ```
package struct WorkflowDefinition: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        package var name: String
        package var kind: StepKind
        /// The steps that must have succeeded, those it refers to included.
        package var after: [String]
        /// Everything else that was written, references not yet replaced.
        package var fields: JSON
    }

    package var name: String
    package var parameters: [(name: String, usual: JSON)]
    package var steps: [Step]

    private static let mostSteps = 1_000

    package init(parsing text: String) throws {
        let root = try YAMLText.parse(text)
        for key in root.objectValue?.keys ?? []
        where !["name", "description", "parameters", "steps"].contains(key) {
            throw GatewayError.badDefinition(
                reason: "it has a part \"\(key)\"; it may have name, description, parameters, steps"
            )
        }
        name = root["name"]?.stringValue ?? "workflow"
        parameters = (root["parameters"]?.objectValue ?? JSONObject()).members
            .map { (name: $0.key, usual: $0.value) }
        guard let list = root["steps"]?.arrayValue, !list.isEmpty else {
            throw GatewayError.badDefinition(reason: "it has no list \"steps\"")
        }
        guard list.count <= Self.mostSteps else {
            throw GatewayError.badDefinition(
                reason: "it has \(list.count) steps, the limit is \(Self.mostSteps)")
        }
        steps = []
        for (index, value) in list.enumerated() {
            try steps.append(Self.step(value, at: index, after: steps))
        }
    }

    private static func step(_ value: JSON, at index: Int, after earlier: [Step]) throws -> Step {
        guard let name = value["name"]?.stringValue, !name.isEmpty else {
            throw GatewayError.badDefinition(reason: "step \(index + 1) has no name")
        }
        guard !earlier.contains(where: { $0.name == name }) else {
            throw GatewayError.badDefinition(reason: "two steps are named \"\(name)\"")
        }
        guard name.utf8.allSatisfy({ $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "/") }) else {
            throw GatewayError.badStep(step: name, reason: "a name has no \".\" and no \"/\"")
        }
        guard let kind = value["kind"]?.stringValue.flatMap(StepKind.init(rawValue:)) else {
            let known = StepKind.allCases.map(\.rawValue).sorted().joined(separator: ", ")
            throw GatewayError.badStep(step: name, reason: "its kind is none of \(known)")
        }
        var fields = value.objectValue ?? JSONObject()
        for key in ["name", "kind", "after"] { fields[key] = nil }
        try kind.check(fields.keys, step: name)
        let references = Substitution.references(in: .object(fields)).compactMap { text in
            text.hasPrefix("steps.") ? text.split(separator: ".").dropFirst().first : nil
        }.map(String.init)
        let written = try Self.after(value["after"], step: name)
        let after = (written ?? (earlier.last.map { [$0.name] } ?? [])) + references
        for needed in after where !earlier.contains(where: { $0.name == needed }) {
            throw GatewayError.unknownReference(text: "steps.\(needed)", step: name)
        }
        return Step(
            name: name, kind: kind, after: Array(Set(after)).sorted(), fields: .object(fields))
    }

    private static func after(_ value: JSON?, step: String) throws -> [String]? {
        switch value {
        case nil, .null: return nil
        case .string(let name): return [name]
        case .array(let names):
            let texts = names.compactMap(\.stringValue)
            guard texts.count == names.count else { fallthrough }
            return texts
        default:
            throw GatewayError.badStep(step: step, reason: "\"after\" is no list of step names")
        }
    }

    /// The value of every parameter: given, else its default, in which earlier ones may be named.
    package func values(given: [String: String]) throws -> [String: JSON] {
        let known = parameters.map(\.name)
        for name in given.keys.sorted() where !known.contains(name) && name != "directory" {
            throw GatewayError.unknownParameter(name: name, known: known)
        }
        var values: [String: JSON] = [:]
        if let directory = given["directory"] { values["directory"] = .string(directory) }
        for (name, usual) in parameters {
            if let text = given[name] {
                values[name] = .string(text)
            } else if usual.isNull {
                throw GatewayError.missingParameter(name: name)
            } else {
                values[name] = try Substitution(values: values).apply(
                    to: usual, step: "parameters")
            }
        }
        return values
    }

    package static func == (left: WorkflowDefinition, right: WorkflowDefinition) -> Bool {
        left.name == right.name && left.steps == right.steps
            && left.parameters.map(\.name) == right.parameters.map(\.name)
            && left.parameters.map(\.usual) == right.parameters.map(\.usual)
    }
}
