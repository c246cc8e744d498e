import ArgumentParser
import Chat
import Corpus
import Judging
import ServiceKit

/// Judges two answer files, without a service.
struct JudgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "judge", abstract: "Let a judge compare two answer files.",
        discussion: """
            Example:
              OPENAI_API_KEY=… hone evaluate -q question.jsonl -a ours.jsonl chatgpt.jsonl \\
                -o ours_vs_chatgpt.jsonl chatgpt_vs_ours.jsonl --both-orders --model gpt-4

            Every review is kept in OUTPUT.journal as it arrives: the same command goes on after \
            an interruption and asks for no review twice.
            """)

    @Option(name: [.customShort("q"), .long], help: "Questions, JSON Lines.")
    var questionFile: String
    @Option(
        name: [.customShort("a"), .long], parsing: .upToNextOption,
        help: "Two answer files: the model's, then its opponent's.")
    var answerFileList: [String]
    @Option(name: [.customShort("p"), .long], help: "Prompts; without it, the original's.")
    var promptFile: String?
    @Option(name: [.customShort("r"), .long], help: "Reviewers; without it, the original's.")
    var reviewerFile: String?
    @Option(
        name: [.customShort("o"), .long], parsing: .upToNextOption,
        help: "Where the reviews go; with --both-orders, one file more for the other order.")
    var outputReviewFile: [String]
    @Option(help: "Tokens a review may have.") var maxTokens = ChatJudge.usualMaximumTokens
    @Flag(help: "Judge each pair a second time with the answers changed round.")
    var bothOrders = false
    @Option(help: ArgumentHelp("The judge's OpenAI-compatible endpoint.", valueName: "url"))
    var endpoint = "https://api.openai.com/v1"
    @Option(help: "The judge's model.") var model = Judgement.model
    @Option(help: "Requests in a minute for each key; 0 sets no limit.") var requestsPerMinute = 60
    @Option(help: "Reviews asked for at once.") var concurrency = 8
    @Option(help: "Seconds one request may take.") var timeout = 600
    @Flag(help: "Ask again for reviews whose scores could not be read.") var retryUnreadable = false
    @Flag(help: "Print the summary as JSON.") var json = false

    func validate() throws {
        if answerFileList.count != 2 {
            throw ValidationError("-a was given \(answerFileList.count) files; give two")
        }
        if outputReviewFile.isEmpty || outputReviewFile.count > (bothOrders ? 2 : 1) {
            throw ValidationError(
                "-o was given \(outputReviewFile.count) files; give one, or two with --both-orders")
        }
        if maxTokens < 1 { throw ValidationError("--max-tokens must be 1 or more") }
        if requestsPerMinute < 0 {
            throw ValidationError("--requests-per-minute must be 0 or more")
        }
        if !(1...4_096).contains(concurrency) {
            throw ValidationError("--concurrency must be 1 to 4096")
        }
        if !(1...86_400).contains(timeout) {
            throw ValidationError("--timeout must be 1 to 86400 seconds")
        }
    }

    func run() async throws {
        let pairs = try pairs()
        let judge = try judge()
        let journal = try ReviewJournal(
            path: outputReviewFile[0] + ".journal", forgetsUnreadable: retryUnreadable)
        let bar = ProgressBar("judge")
        let evaluation = Evaluation(pairs, judge: judge, journal: journal, concurrency: concurrency)
        let result: Evaluation.Result
        do {
            result = try await evaluation.run { bar.update($0.done, of: $0.total) }
        } catch {
            bar.finish()
            try await journal.close()
            throw error
        }
        bar.finish()
        try AtomicFile.write(Review.file(of: result.modelFirst), to: outputReviewFile[0])
        if let reviews = result.opponentFirst {
            try AtomicFile.write(Review.file(of: reviews), to: otherOutput)
        }
        try await journal.close()
        try tell(result)
        let summary = result.summary
        if summary.failed > 0 {
            throw EvaluatorError.reviewsFailed(
                failed: summary.failed, total: summary.total, reason: summary.lastFailure)
        }
    }

    private func judge() throws -> ChatJudge {
        var configuration = ChatConfiguration(
            endpoint: endpoint, model: model,
            keys: try APIKeys.read { HoneEnvironment.process.foreign($0) },
            requestsPerMinute: requestsPerMinute == 0 ? nil : requestsPerMinute,
            timeout: .seconds(timeout), retry: ChatJudge.retry, connections: concurrency)
        configuration.onKeyRefused = { StandardError.write($0 + "\n") }
        return try ChatJudge(configuration, maximumTokens: maxTokens)
    }

    private func pairs() throws -> Evaluation.Pairs {
        func read(_ path: String) throws -> [UInt8] { try FileReader.bytes(of: path) }
        return try Evaluation.Pairs(
            questions: Question.read(read(questionFile), file: questionFile),
            model: Answer.read(read(answerFileList[0]), file: answerFileList[0]),
            opponent: Answer.read(read(answerFileList[1]), file: answerFileList[1]),
            prompts: promptFile.map { try JudgePrompt.read(read($0), file: $0) }
                ?? JudgePrompt.original,
            reviewers: reviewerFile.map { try Reviewer.read(read($0), file: $0) }
                ?? Reviewer.original, bothOrders: bothOrders)
    }

    /// The file of the other order: named, or beside the first: `review.swapped.jsonl`.
    private var otherOutput: String {
        if outputReviewFile.count == 2 { return outputReviewFile[1] }
        let path = outputReviewFile[0]
        let end = path.hasSuffix(".jsonl") ? path.index(path.endIndex, offsetBy: -6) : path.endIndex
        return path[..<end] + ".swapped" + path[end...]
    }

    private func tell(_ result: Evaluation.Result) throws {
        let summary = result.summary
        var report: Comparison?
        if summary.failed == 0 {
            report = try Comparison(
                modelFirst: result.modelFirst, opponentFirst: result.opponentFirst ?? [],
                questions: Question.read(FileReader.bytes(of: questionFile), file: questionFile))
        }
        if json {
            print(summary.json(report: report).text())
            return
        }
        print(
            "\(summary.asked + summary.reused) of \(summary.total) reviews, \(summary.reused) of"
                + " them from before; \(summary.promptTokens) tokens asked,"
                + " \(summary.completionTokens) answered")
        if summary.unreadable > 0 {
            print("\(summary.unreadable) reviews give no scores; see --retry-unreadable")
        }
        if let report { print(report.table) }
    }
}

extension Evaluation.Summary {
    func json(report: Comparison?) -> JSON {
        [
            "reviews": .int(asked + reused), "asked": .int(asked), "reused": .int(reused),
            "failed": .int(failed), "unreadable": .int(unreadable),
            "promptTokens": .int(promptTokens), "completionTokens": .int(completionTokens),
            "report": report?.json ?? .null,
        ]
    }
}
