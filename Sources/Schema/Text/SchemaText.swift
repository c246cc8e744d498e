package import RPC
package import Wire

/// What `.schema` files say, with every name looked up; it knows nothing of the code that should
/// agree with them.
package struct SchemaText: Sendable {
    package struct Message: Sendable {
        package var name: String
        package var maximumBytes: Int
        package var fields: [WireField] = []
        package var reserved: [UInt32] = []
        /// The declaration with its doc comments.
        package var text = ""

        package func field(named name: String) -> WireField? {
            fields.first { $0.name == name }
        }
    }
    package struct Enumeration: Sendable {
        package var name: String
        package var choices: [(number: UInt64, name: String)] = []
        /// The declaration with its doc comments.
        package var text = ""
    }
    package struct Call: Sendable {
        package var path: String
        package var request: String
        package var response: String
        package var streamsRequests: Bool
        package var streamsResponses: Bool
        package var isIdempotent: Bool
        /// The declaration with its doc comment.
        package var text = ""

        package var kind: CallKind {
            switch (streamsRequests, streamsResponses) {
            case (false, false): .unary
            case (true, false): .clientStreaming
            case (false, true): .serverStreaming
            case (true, true): .bidirectional
            }
        }
    }
    package struct Fault: Error, CustomStringConvertible {
        package var place: String
        package var line: Int
        package var reason: String
        package var description: String { "\(place).schema:\(line): \(reason)" }
    }

    package private(set) var messages: [String: Message] = [:]
    package private(set) var enumerations: [String: Enumeration] = [:]
    package private(set) var calls: [Call] = []
    /// The declarations of services, by full name.
    package private(set) var services: [String: String] = [:]
    /// Declarations and their members that no doc comment explains.
    package private(set) var undocumented: [String] = []

    package init(parsing sources: [(name: String, text: String)]) throws(Fault) {
        var files: [SchemaFile] = []
        for (name, text) in sources {
            files.append(try SchemaFile(name: name, text: text))
        }
        var kinds: [String: WireType] = [:]
        for file in files {
            for name in file.messages {
                kinds["\(file.package).\(name)"] = .message("\(file.package).\(name)")
            }
            for name in file.enumerations {
                kinds["\(file.package).\(name)"] = .enumeration("\(file.package).\(name)")
            }
        }
        for file in files {
            let names = SchemaNames(file, kinds)
            for block in file.blocks { try take(block, names) }
        }
    }

    private mutating func take(
        _ block: SchemaFile.Block, _ names: SchemaNames
    ) throws(Fault) {
        let name = "\(names.package).\(block.name)"
        if !block.isDocumented { undocumented.append(name) }
        for line in block.lines where !line.isDocumented {
            undocumented.append("\(name).\(line.name)")
        }
        switch block.kind {
        case "message":
            var message = Message(name: name, maximumBytes: block.limit ?? 4 << 20)
            message.reserved = block.reserved
            message.text = block.text
            for line in block.lines {
                message.fields.append(
                    WireField(
                        tag: UInt32(line.number), name: line.name,
                        type: try names.type(line.type, line.line)))
            }
            messages[name] = message
        case "enum":
            enumerations[name] = Enumeration(
                name: name, choices: block.lines.map { (UInt64($0.number), $0.name) },
                text: block.text)
        default:
            services[block.name] = block.text
            for call in block.calls {
                if !call.isDocumented { undocumented.append("\(block.name).\(call.name)") }
                calls.append(
                    Call(
                        path: "/\(block.name)/\(call.name)",
                        request: try names.full(call.request, call.line),
                        response: try names.full(call.response, call.line),
                        streamsRequests: call.streamsRequests,
                        streamsResponses: call.streamsResponses,
                        isIdempotent: call.isIdempotent, text: call.text))
            }
        }
    }
}

/// Finds what a file's names stand for.
private struct SchemaNames {
    let package: String
    private let file: SchemaFile
    private let kinds: [String: WireType]

    init(_ file: SchemaFile, _ kinds: [String: WireType]) {
        package = file.package
        self.file = file
        self.kinds = kinds
    }

    func full(_ name: String, _ line: Int) throws(SchemaText.Fault) -> String {
        let found = ([file.package] + file.uses).map { "\($0).\(name)" }
            .first { kinds[$0] != nil }
        guard let found else {
            throw SchemaText.Fault(
                place: file.name, line: line, reason: "\(name) is declared nowhere")
        }
        return found
    }

    /// Reads a type as the schema writes it.
    func type(_ text: String, _ line: Int) throws(SchemaText.Fault) -> WireType {
        if text.hasPrefix("optional ") { return .optional(try word(text.dropFirst(9), line)) }
        if text.hasPrefix("repeated ") { return .repeated(try word(text.dropFirst(9), line)) }
        if text.hasPrefix("packed ") { return .packed(try word(text.dropFirst(7), line)) }
        if text.hasPrefix("map<string, "), text.hasSuffix(">") {
            return .map(try word(text.dropFirst(12).dropLast(), line))
        }
        return try word(text[...], line)
    }

    private func word(_ text: Substring, _ line: Int) throws(SchemaText.Fault) -> WireType {
        if let scalar = Self.scalars[String(text)] { return scalar }
        let name = try full(String(text), line)
        if let kind = kinds[name] { return kind }
        return .message(name)
    }

    private static let scalars: [String: WireType] = Dictionary(
        uniqueKeysWithValues: [
            .uint, .int, .bool, .f32, .f64, .string, .bytes, .u32, .i32, .u64,
        ].map { (($0 as WireType).description, $0) })
}
