import ArgumentParser
import Corpus
import ServiceKit
import Tokenization

struct Tokenize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn texts into token ids, without a service.",
        discussion: """
            Each row of the file has a text; each row of the output has that row's members with \
            its ids in place of the text.
            Example: hone tokenize --tokenizer ~/models/selfee-7b --jsonl texts.jsonl
            """)

    @Option(help: "The tokenizer: tokenizer.json, tokenizer.model, a rank file, or a folder.")
    var tokenizer: String
    @Option(help: "A file of JSON objects with a text, one a line.")
    var jsonl: String?
    @Option(help: "One text, instead of a file.")
    var text: String?
    @Flag(help: "Add the tokens that begin and end a sequence.")
    var special = false
    @Flag(help: "Take text that reads like a special token for plain text.")
    var plain = false

    func validate() throws {
        guard (jsonl == nil) != (text == nil) else {
            throw ValidationError("give either --jsonl or --text")
        }
    }

    func run() async throws {
        let tokenizer = try Tokenizer.load(tokenizer)
        if let text {
            return print(row(["text": .string(text)], tokenizer.encode(text, special: special)))
        }
        let path = jsonl ?? ""
        do {
            try convert(path, tokenizer)
        } catch let error as JSONError {
            throw CommandFailure("\(path): \(error)")
        } catch let error as CorpusError {
            if case .file = error { throw error }
            throw CommandFailure("\(path): \(error)")
        }
    }

    private func convert(_ path: String, _ tokenizer: Tokenizer) throws {
        let reader = try FileReader(path: path)
        let bar = ProgressBar("tokenize")
        defer { bar.finish() }
        let total = try reader.byteCount()
        var splitter = JSONRecordSplitter()
        var ended = false
        while !ended {
            let bytes = try reader.read()
            ended = bytes.isEmpty
            var records = ended ? [] : try splitter.push(bytes)
            if ended, let last = try splitter.finish() { records = [last] }
            for record in records {
                guard let object = try record.parse().objectValue,
                    let text = object["text"]?.stringValue
                else {
                    throw CommandFailure(
                        "\(path) line \(record.line) has no member “text”; every row needs one")
                }
                let ids = tokenizer.encode(
                    text, special: special, parsing: plain ? false : nil)
                print(row(object, ids))
                bar.update(record.offset, of: total)
            }
        }
    }

    private func row(_ object: JSONObject, _ ids: [TokenID]) -> String {
        var members = object.members.filter { $0.key != "text" && $0.key != "ids" }
            .map { ($0.key, $0.value) }
        members.append(("ids", .array(ids.map { .int(Int($0)) })))
        return JSON.object(JSONObject(members)).text()
    }
}
