import Chat
import Corpus
import FoundationEssentials
import Jobs
import Judging
import Schema
import Wire

/// Carries out evaluation jobs: answers from the data service, reviews back to it.
///
/// The journal of a job is named after its key, so a repeated start, a restart and a retry all find
/// the reviews that are there.
struct EvaluationRunner: JobRunner {
    static let kind = "evaluation"
    private static let usualConcurrency = 16
    private static let linesType = "application/jsonl"

    private let folder: String
    private let artifacts: ArtifactStore
    private let keys: [String]

    /// - Parameter keys: for requests that bring none.
    init(folder: String, artifacts: ArtifactStore, keys: [String]) {
        self.folder = folder
        self.artifacts = artifacts
        self.keys = keys
    }

    /// Refuses what could never run.
    func check(_ request: EvaluationRequest) throws {
        for (name, value) in [
            ("questions", request.questions), ("answersFirst", request.answersFirst),
            ("answersSecond", request.answersSecond), ("endpoint.url", request.endpoint.url),
            ("endpoint.model", request.endpoint.model),
        ] where value.isEmpty { throw EvaluatorError.noField(name: name) }
        _ = try judge(request)
    }

    func run(_ context: JobContext) async throws -> String {
        let request = try EvaluationRequest(decoding: context.job.input)
        let questions = try Question.read(
            await artifacts.read(request.questions, patient: true), file: "the question file")
        let pairs = try await pairs(request, questions: questions)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let name = SHA256.hexadecimal(of: context.job.key).prefix(32)
        let journal = try ReviewJournal(path: "\(folder)/\(name).journal")
        let evaluation = Evaluation(
            pairs, judge: try judge(request) { context.log($0) }, journal: journal,
            concurrency: concurrency(request))
        let result: Evaluation.Result
        do {
            result = try await evaluation.run { context.progress($0.done, of: $0.total) }
        } catch {
            try await journal.close()
            throw error
        }
        try await journal.close()
        let summary = result.summary
        guard summary.failed == 0 else {
            throw EvaluatorError.reviewsFailed(
                failed: summary.failed, total: summary.total, reason: summary.lastFailure)
        }
        return try await store(result, request, questions).text()
    }

    private func store(
        _ result: Evaluation.Result, _ request: EvaluationRequest, _ questions: [Question]
    ) async throws -> JSON {
        let comparison = try Comparison(
            modelFirst: result.modelFirst, opponentFirst: result.opponentFirst ?? [],
            questions: questions)
        var report = comparison.json.objectValue ?? JSONObject()
        report["model"] = .string(request.modelName)
        report["opponent"] = .string(request.opponentName)
        report["reviewsModelFirst"] = .string(
            try await artifacts.write(
                Review.file(of: result.modelFirst), mediaType: Self.linesType))
        if let reviews = result.opponentFirst {
            report["reviewsOpponentFirst"] = .string(
                try await artifacts.write(Review.file(of: reviews), mediaType: Self.linesType))
        }
        report["summary"] = result.summary.json(report: nil)
        return .object(report)
    }

    private func pairs(
        _ request: EvaluationRequest, questions: [Question]
    ) async throws -> Evaluation.Pairs {
        var prompts = JudgePrompt.original
        if !request.prompts.isEmpty {
            prompts = try JudgePrompt.read(
                await artifacts.read(request.prompts, patient: true), file: "the prompt file")
        }
        var reviewers = Reviewer.original
        if !request.reviewers.isEmpty {
            reviewers = try Reviewer.read(
                await artifacts.read(request.reviewers, patient: true), file: "the reviewer file")
        }
        return try Evaluation.Pairs(
            questions: questions,
            model: Answer.read(
                await artifacts.read(request.answersFirst, patient: true),
                file: "the first answer file"),
            opponent: Answer.read(
                await artifacts.read(request.answersSecond, patient: true),
                file: "the second answer file"),
            prompts: prompts, reviewers: reviewers, bothOrders: request.bothOrders)
    }

    private func concurrency(_ request: EvaluationRequest) -> Int {
        request.concurrency == 0 ? Self.usualConcurrency : min(request.concurrency, 4_096)
    }

    private func judge(
        _ request: EvaluationRequest, onKeyRefused: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> ChatJudge {
        let endpoint = request.endpoint
        let keys = endpoint.keys.isEmpty ? self.keys : endpoint.keys
        var configuration = ChatConfiguration(
            endpoint: endpoint.url, model: endpoint.model, keys: keys,
            requestsPerMinuteInAll: endpoint.requestsPerMinute == 0
                ? nil : endpoint.requestsPerMinute,
            timeout: endpoint.timeoutMilliseconds == 0
                ? .seconds(600) : .milliseconds(endpoint.timeoutMilliseconds),
            retry: ChatJudge.retry, connections: concurrency(request))
        configuration.onKeyRefused = onKeyRefused
        return try ChatJudge(
            configuration,
            maximumTokens: request.maximumTokens == 0
                ? ChatJudge.usualMaximumTokens : request.maximumTokens)
    }
}
