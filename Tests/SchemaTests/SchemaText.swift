import FoundationEssentials
import TestKit
import Wire

/// What the `.schema` files say, read independently of the code that should agree.
struct SchemaText {
    struct Message {
        var name: String
        var maximumBytes: Int
        var fields: [WireField] = []
        var reserved: [UInt32] = []
    }
    struct Enumeration {
        var name: String
        var choices: [(number: UInt64, name: String)] = []
    }
    struct Call {
        var path: String
        var request: String
        var response: String
        var streamsRequests: Bool
        var streamsResponses: Bool
        var isIdempotent: Bool
    }
    struct Fault: Error, CustomStringConvertible {
        var place: String
        var line: Int
        var reason: String
        var description: String { "\(place).schema:\(line): \(reason)" }
    }

    private(set) var messages: [String: Message] = [:]
    private(set) var enumerations: [String: Enumeration] = [:]
    private(set) var calls: [Call] = []
    /// Declarations and their members that no doc comment explains.
    private(set) var undocumented: [String] = []

    /// All the repository's schema files.
    static func repository() throws -> SchemaText {
        let folder = SharedData.repository.appending(path: "proto")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        var sources: [(name: String, text: String)] = []
        for name in names.sorted() where name.hasSuffix(".schema") {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            sources.append((String(name.dropLast(7)), text))
        }
        return try SchemaText(parsing: sources)
    }

    init(parsing sources: [(name: String, text: String)]) throws {
        var files: [SchemaFile] = []
        for (name, text) in sources {
            files.append(try SchemaFile(name: name, text: text))
        }
        var kinds: [String: WireType] = [:]
        for file in files {
            for name in file.messages { kinds["\(file.package).\(name)"] = .message(name) }
            for name in file.enumerations { kinds["\(file.package).\(name)"] = .enumeration(name) }
        }
        for file in files {
            try take(file, kinds)
        }
    }

    private mutating func take(_ file: SchemaFile, _ kinds: [String: WireType]) throws {
        func fullName(_ name: String, _ line: Int) throws -> String {
            let found = ([file.package] + file.uses).map { "\($0).\(name)" }
                .first { kinds[$0] != nil }
            guard let found else {
                throw Fault(place: file.name, line: line, reason: "\(name) is declared nowhere")
            }
            return found
        }
        func type(_ text: String, _ line: Int) throws -> WireType {
            if let scalar = WireType.scalars[text] { return scalar }
            let name = try fullName(text, line)
            if case .message = kinds[name] { return .message(name) }
            return .enumeration(name)
        }
        for block in file.blocks {
            let name = "\(file.package).\(block.name)"
            if !block.isDocumented { undocumented.append(name) }
            switch block.kind {
            case "message":
                var message = Message(name: name, maximumBytes: block.limit ?? 4 << 20)
                message.reserved = block.reserved
                for line in block.lines {
                    if !line.isDocumented { undocumented.append("\(name).\(line.name)") }
                    message.fields.append(
                        WireField(
                            tag: UInt32(line.number), name: line.name,
                            type: try WireType(parsing: line.type) { try type($0, line.line) }))
                }
                messages[name] = message
            case "enum":
                var enumeration = Enumeration(name: name)
                for line in block.lines {
                    if !line.isDocumented { undocumented.append("\(name).\(line.name)") }
                    enumeration.choices.append((UInt64(line.number), line.name))
                }
                enumerations[name] = enumeration
            default:
                for call in block.calls {
                    if !call.isDocumented { undocumented.append("\(block.name).\(call.name)") }
                    calls.append(
                        Call(
                            path: "/\(block.name)/\(call.name)",
                            request: try fullName(call.request, call.line),
                            response: try fullName(call.response, call.line),
                            streamsRequests: call.streamsRequests,
                            streamsResponses: call.streamsResponses,
                            isIdempotent: call.isIdempotent))
                }
            }
        }
    }
}

extension WireType {
    static let scalars: [String: WireType] = Dictionary(
        uniqueKeysWithValues: [
            .uint, .int, .bool, .f32, .f64, .string, .bytes, .u32, .i32, .u64,
        ].map { (($0 as WireType).description, $0) })

    /// Reads a type as the schema writes it; `resolve` finds what one word stands for.
    init(parsing text: String, resolve: (String) throws -> WireType) throws {
        if text.hasPrefix("optional ") {
            self = .optional(try resolve(String(text.dropFirst(9))))
        } else if text.hasPrefix("repeated ") {
            self = .repeated(try resolve(String(text.dropFirst(9))))
        } else if text.hasPrefix("packed ") {
            self = .packed(try resolve(String(text.dropFirst(7))))
        } else if text.hasPrefix("map<string, "), text.hasSuffix(">") {
            self = .map(try resolve(String(text.dropFirst(12).dropLast())))
        } else {
            self = try resolve(text)
        }
    }
}
