/// One `.schema` file taken apart line by line; names are not yet looked up.
struct SchemaFile {
    struct Line {
        var line: Int
        var number: Int
        var type: String
        var name: String
        var isDocumented: Bool
    }
    struct Call {
        var line: Int
        var name: String
        var request: String
        var response: String
        var streamsRequests: Bool
        var streamsResponses: Bool
        var isIdempotent: Bool
        var isDocumented: Bool
    }
    struct Block {
        var kind: String
        var name: String
        var limit: Int?
        var isDocumented: Bool
        var lines: [Line] = []
        var calls: [Call] = []
        var reserved: [UInt32] = []
    }

    let name: String
    private(set) var package = ""
    private(set) var uses: [String] = []
    private(set) var blocks: [Block] = []

    var messages: [String] { blocks.filter { $0.kind == "message" }.map(\.name) }
    var enumerations: [String] { blocks.filter { $0.kind == "enum" }.map(\.name) }

    init(name: String, text: String) throws {
        self.name = name
        var open: Block?
        var isDocumented = false
        for (index, source) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let words = source.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            if first == "///" {
                isDocumented = true
                continue
            }
            switch (first, open) {
            case ("schema", nil): package = words.dropFirst().joined()
            case ("uses", nil):
                uses = words.dropFirst().map { $0.replacing(",", with: "") }
            case ("message", nil), ("enum", nil), ("service", nil):
                open = try block(words, index + 1, isDocumented)
            case ("}", let block?):
                blocks.append(block)
                open = nil
            case (_, var block?):
                try add(words, index + 1, isDocumented, to: &block)
                open = block
            default:
                throw fault(index + 1, "what is “\(source)”?")
            }
            isDocumented = false
        }
        if let open { throw fault(0, "\(open.name) is not closed") }
    }

    private func fault(_ line: Int, _ reason: String) -> SchemaText.Fault {
        SchemaText.Fault(place: name, line: line, reason: reason)
    }

    private func block(_ words: [String], _ line: Int, _ isDocumented: Bool) throws -> Block {
        guard words.last == "{", words.count == 3 || words.count == 6 else {
            throw fault(line, "a \(words[0]) begins with its name and “{”")
        }
        var block = Block(kind: words[0], name: words[1], isDocumented: isDocumented)
        if words.count == 6 {
            guard words[2] == "limit", let limit = Int(words[3]), words[4] == "MiB" else {
                throw fault(line, "a limit is written “limit 16 MiB”")
            }
            block.limit = limit << 20
        }
        return block
    }

    private func add(
        _ words: [String], _ line: Int, _ isDocumented: Bool, to block: inout Block
    ) throws {
        if words[0] == "reserved" {
            block.reserved += words.dropFirst().compactMap {
                UInt32($0.replacing(",", with: ""))
            }
        } else if block.kind == "service" {
            block.calls.append(try call(words, line, isDocumented))
        } else {
            guard words[0].hasSuffix(":"), let number = Int(words[0].dropLast()),
                words.count >= (block.kind == "enum" ? 2 : 3)
            else {
                throw fault(line, "a member is written “1: string name”")
            }
            block.lines.append(
                Line(
                    line: line, number: number,
                    type: words.dropFirst().dropLast().joined(separator: " "),
                    name: words[words.count - 1], isDocumented: isDocumented))
        }
    }

    /// `call Name(stream Request) returns stream Response idempotent`.
    private func call(_ words: [String], _ line: Int, _ isDocumented: Bool) throws -> Call {
        let text = words.joined(separator: " ")
        let pattern =
            /call (\w+)\((stream )?(\w+)\) returns (stream )?(\w+)( idempotent)?/
        guard let match = text.wholeMatch(of: pattern) else {
            throw fault(line, "a call is written “call Name(Request) returns Response”")
        }
        return Call(
            line: line, name: String(match.1), request: String(match.3),
            response: String(match.5), streamsRequests: match.2 != nil,
            streamsResponses: match.4 != nil, isIdempotent: match.6 != nil,
            isDocumented: isDocumented)
    }
}
