import ArgumentParser
import Generation
import Schema
import ServiceKit
import Synchronization
import Tokenization

struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a text, without a service.",
        discussion: """
            Example: hone generate --model ~/models/stories --prompt "Once upon" \
            --max-tokens 50 --temperature 0 --json
            """)

    @Option(help: "The model's folder in the Hugging Face layout.")
    var model: String
    @Option(help: "The text to go on from.")
    var prompt: String?
    @Option(help: "Token ids to go on from, instead of a text, such as 1,2,3.")
    var ids: String?
    @Option(help: "How many tokens at most.")
    var maxTokens = 256
    @Option(help: "A text that ends the generation; may be repeated.")
    var stop: [String] = []
    @Flag(help: "Print one JSON object: the text and its ids.")
    var json = false
    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var options: ModelOptions

    private struct Output: Encodable {
        var text: String
        var ids: [TokenID]
    }

    func validate() throws {
        guard (prompt == nil) != (ids == nil) else {
            throw ValidationError("give either --prompt or --ids")
        }
        guard maxTokens > 0 else { throw ValidationError("--max-tokens must be above 0") }
    }

    func run() async throws {
        let sampling = sampling.sampling
        let given = try ids.map(TokenList.init)?.ids
        let (prompt, maxTokens, stop, json) = (prompt, maxTokens, stop, json)
        let bar = ProgressBar("generate")
        let count = TokenCount()
        let done = try await withModel(model, options.settings()) { model in
            let tokenizer = try model.requireTokenizer()
            var settings = CompletionProgram.Settings()
            settings.sampling = sampling
            settings.maximumTokens = maxTokens
            settings.stops = stop
            settings.endIDs = model.endIDs
            let start = given ?? tokenizer.prefix + tokenizer.encode(prompt ?? "")
            return try await model.scheduler.perform(
                CompletionProgram(
                    prompt: start, tokenizer: tokenizer, settings: settings,
                    emit: { piece in
                        guard json else { return print(piece.text, terminator: "") }
                        bar.update(count.add(piece.tokens.count), of: maxTokens)
                    }))
        }
        bar.finish()
        if json {
            try JSONOutput.print(Output(text: done.text, ids: done.tokens))
        } else {
            print()
        }
    }
}

/// Counts the tokens that have come.
private final class TokenCount: Sendable {
    private let count = Mutex(0)

    /// - Returns: the new sum.
    func add(_ tokens: Int) -> Int {
        count.withLock { count in
            count += tokens
            return count
        }
    }
}

/// Ids as a command line gives them: numbers with commas or spaces between.
struct TokenList {
    var ids: [TokenID]

    init(_ text: String) throws {
        ids = try text.split(whereSeparator: { ", []\n\t".contains($0) }).map { part in
            guard let id = TokenID(part), id >= 0 else {
                throw ValidationError("“\(part)” is no token id; write numbers such as 1,2,3")
            }
            return id
        }
        guard !ids.isEmpty else { throw ValidationError("give at least one token id") }
    }
}
