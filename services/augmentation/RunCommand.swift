public import ArgumentParser
import Chat
public import Revising
import ServiceKit
import Synchronization

/// Makes chains of a file's examples, without a service; `hone augment` is this command.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Executables.name("hone-augmentation") == "hone" ? "augment" : "run",
        abstract: "Augment a file: examples in, chains out.",
        discussion: """
            Example:
              OPENAI_API_KEY=… hone augment --input-path alpaca.json --output-path chains.jsonl \\
                --fail-path failed.jsonl --procedure alpaca --model gpt-3.5-turbo

            Every reply is kept in OUTPUT-PATH.journal: the same command goes on after an
            interruption, without asking again for what was answered.
            """)

    @Option(help: "Examples, a JSON array or JSON Lines, with instruction, input and output.")
    var inputPath: String
    @Option(help: "Where the chains are appended, JSON Lines.")
    var outputPath: String
    @Option(help: "Where examples that failed are appended, as they came.")
    var failPath: String
    @Option(help: "Requests in a minute for each key; 0 sets no limit.")
    var requestsPerMinute = 60
    @Option(help: "Only the first examples.")
    var limit: Int?
    @Option(help: "Who writes the answer: alpaca, flan (math, code) or sharegpt.")
    var procedure = Revising.AugmentationProcedure.Kind.alpaca
    @Option(help: "strict, or selfee: as the original, flaws included.")
    var mode = Revising.ChainMode.strict
    @Option(help: ArgumentHelp("The teacher's OpenAI-compatible endpoint.", valueName: "url"))
    var endpoint = "https://api.openai.com/v1"
    @Option(help: "The teacher's model.")
    var model = "gpt-3.5-turbo"
    @Option(help: "Examples in work at once.")
    var concurrency = AugmentationPlan.usualConcurrency
    @Option(help: "Seconds one request may take.")
    var timeout = 600
    @Flag(help: "Ask again for the examples that failed before.")
    var retryFailed = false
    @Flag(help: "Print the summary as JSON.")
    var json = false

    func validate() throws {
        guard requestsPerMinute >= 0 else {
            throw ValidationError("--requests-per-minute must be 0 or more")
        }
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout must be 1 to 86400 seconds")
        }
        do {
            try plan.check()
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() async throws {
        let plan = plan
        var configuration = try configuration()
        configuration.onKeyRefused = { StandardError.write($0 + "\n") }
        let teacher = try ChatTeacher(configuration)
        try plan.checkFiles()
        let journal = try Journal(path: plan.journalPath)
        let bar = ProgressBar("augment")
        let failures = FailureLines()
        let summary: AugmentationSummary
        do {
            summary = try await Augmenter(plan, teacher: teacher, journal: journal).run(
                progress: { summary in
                    bar.update(
                        summary.done, of: summary.total, "\(summary.cost.replies) replies")
                },
                failure: { line, reason in failures.show(line, reason) })
        } catch {
            bar.finish()
            try journal.close()
            throw error
        }
        bar.finish()
        try journal.close()
        if json { try JSONOutput.print(SummaryReport(summary)) } else { print(text(summary)) }
        if summary.failed > 0, summary.made + summary.found == 0 {
            throw AugmentationError.nothingMade(failed: summary.failed)
        }
    }

    private var plan: AugmentationPlan {
        AugmentationPlan(
            inputPath: inputPath, outputPath: outputPath, failPath: failPath,
            procedure: procedure, mode: mode, limit: limit, concurrency: concurrency,
            retriesFailed: retryFailed)
    }

    private func configuration() throws -> ChatConfiguration {
        ChatConfiguration(
            endpoint: endpoint, model: model,
            keys: try APIKeys.read { HoneEnvironment.process.foreign($0) },
            requestsPerMinute: requestsPerMinute == 0 ? nil : requestsPerMinute,
            timeout: .seconds(timeout), retry: ChatTeacher.retry, connections: concurrency)
    }

    private func text(_ summary: AugmentationSummary) -> String {
        var text = "\(summary.made + summary.found) of \(summary.total) chains in \(outputPath)"
        if summary.found > 0 { text += ", \(summary.found) of them from before" }
        if summary.failed > 0 {
            text += "; \(summary.failed) failed, see \(failPath) and --retry-failed"
        }
        text +=
            "\n\(summary.cost.replies) replies, \(summary.cost.promptTokens) tokens asked, "
            + "\(summary.cost.completionTokens) answered"
        if summary.reused > 0 { text += ", \(summary.reused) replies from the journal" }
        for (flag, count) in summary.flags.sorted(by: { $0.key < $1.key }) {
            text += "\n\(flag): \(count)"
        }
        return text
    }
}

/// What `--json` prints.
struct SummaryReport: Encodable {
    var total, made, found, failed, replies, reused, promptTokens, completionTokens: Int
    var flags: [String: Int]

    init(_ summary: AugmentationSummary) {
        total = summary.total
        made = summary.made
        found = summary.found
        failed = summary.failed
        replies = summary.cost.replies
        reused = summary.reused
        promptTokens = summary.cost.promptTokens
        completionTokens = summary.cost.completionTokens
        flags = summary.flags
    }
}

/// Says on standard error which examples failed; after some, only that there are more.
final class FailureLines: Sendable {
    private static let shownAtMost = 20
    private let shown = Mutex(0)

    func show(_ line: Int, _ reason: String) {
        let number = shown.withLock { shown in
            shown += 1
            return shown
        }
        if number <= Self.shownAtMost {
            StandardError.write("line \(line): \(reason)\n")
        } else if number == Self.shownAtMost + 1 {
            StandardError.write("more examples failed; they are all in the fail file\n")
        }
    }
}

extension Revising.AugmentationProcedure.Kind: ExpressibleByArgument {}
extension Revising.ChainMode: ExpressibleByArgument {}
