/// One `.schema` file taken apart line by line; names are not yet looked up.
package struct SchemaFile {
    package struct Line {
        package var line: Int
        package var number: Int
        package var type: String
        package var name: String
        package var isDocumented: Bool
    }
    package struct Call {
        package var line: Int
        package var name: String
        package var request: String
        package var response: String
        package var streamsRequests: Bool
        package var streamsResponses: Bool
        package var isIdempotent: Bool
        /// The call with its doc comment, as the file has them.
        package var text: String
        package var isDocumented: Bool
    }
    package struct Block {
        package var kind: String
        package var name: String
        package var limit: Int?
        package var isDocumented: Bool
        /// The declaration with its doc comment, as the file has them.
        package var text = ""
        package var lines: [Line] = []
        package var calls: [Call] = []
        package var reserved: [UInt32] = []
    }

    package let name: String
    package private(set) var package = ""
    package private(set) var uses: [String] = []
    package private(set) var blocks: [Block] = []

    package var messages: [String] { blocks.filter { $0.kind == "message" }.map(\.name) }
    package var enumerations: [String] { blocks.filter { $0.kind == "enum" }.map(\.name) }

    package init(name: String, text: String) throws(SchemaText.Fault) {
        self.name = name
        var open: Block?
        var comment = ""
        for (index, source) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let words = source.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            if first == "///" {
                comment += source + "\n"
                continue
            }
            let whole = comment + source + "\n"
            switch (first, open) {
            case ("schema", nil): package = words.dropFirst().joined()
            case ("uses", nil):
                uses = words.dropFirst().map { $0.replacing(",", with: "") }
            case ("message", nil), ("enum", nil), ("service", nil):
                open = try block(words, index + 1, !comment.isEmpty)
                open?.text = whole
            case ("}", var block?):
                block.text += whole
                blocks.append(block)
                open = nil
            case (_, var block?):
                block.text += whole
                try add(words, index + 1, comment: comment, whole: whole, to: &block)
                open = block
            default:
                throw fault(index + 1, "what is “\(source)”?")
            }
            comment = ""
        }
        if let open { throw fault(0, "\(open.name) is not closed") }
    }

    private func fault(_ line: Int, _ reason: String) -> SchemaText.Fault {
        SchemaText.Fault(place: name, line: line, reason: reason)
    }

    private func block(
        _ words: [String], _ line: Int, _ isDocumented: Bool
    ) throws(SchemaText.Fault) -> Block {
        guard words.last == "{", words.count == 3 || words.count == 6 else {
            throw fault(line, "a \(words[0]) begins with its name and “{”")
        }
        var block = Block(kind: words[0], name: words[1], isDocumented: isDocumented)
        if words.count == 6 {
            guard words[2] == "limit", let limit = Int(words[3]), words[4] == "MiB",
                (0...1024).contains(limit)
            else {
                throw fault(line, "a limit is written “limit 16 MiB”")
            }
            block.limit = limit << 20
        }
        return block
    }

    private func add(
        _ words: [String], _ line: Int, comment: String, whole: String, to block: inout Block
    ) throws(SchemaText.Fault) {
        if words[0] == "reserved" {
            block.reserved += words.dropFirst().compactMap {
                UInt32($0.replacing(",", with: ""))
            }
        } else if block.kind == "service" {
            var call = try call(words, line)
            call.isDocumented = !comment.isEmpty
            call.text = whole
            block.calls.append(call)
        } else {
            guard words[0].hasSuffix(":"), let number = UInt32(words[0].dropLast()),
                words.count >= (block.kind == "enum" ? 2 : 3)
            else {
                throw fault(line, "a member is written “1: string name”")
            }
            block.lines.append(
                Line(
                    line: line, number: Int(number),
                    type: words.dropFirst().dropLast().joined(separator: " "),
                    name: words[words.count - 1], isDocumented: !comment.isEmpty))
        }
    }

    /// `call Name(stream Request) returns stream Response idempotent`.
    private func call(_ words: [String], _ line: Int) throws(SchemaText.Fault) -> Call {
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
            text: "", isDocumented: false)
    }
}
