import Corpus
import Jobs
import Judging
import RPC
import Schema
import ServiceKit
import Wire

/// Answers the calls of `hone.Evaluator`.
struct EvaluatorHandler: EvaluatorAPI.Handler {
    private let jobs: JobCalls
    private let runner: EvaluationRunner
    private let artifacts: ArtifactStore

    init(jobs: JobCalls, runner: EvaluationRunner, artifacts: ArtifactStore) {
        self.jobs = jobs
        self.runner = runner
        self.artifacts = artifacts
    }

    /// An evaluation that failed or was cancelled goes on where it stopped.
    func start(_ request: EvaluationRequest, _ context: CallContext) async throws -> JobState {
        try runner.check(request)
        return try await jobs.start(
            kind: EvaluationRunner.kind, key: request.key, request, goesOn: true)
    }

    func watch(
        _ request: WatchRequest, _ responses: ResponseWriter<Schema.JobEvent>,
        _ context: CallContext
    ) async throws {
        try await jobs.watch(request, responses)
    }

    func get(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        try await jobs.get(request)
    }

    func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        try await jobs.cancel(request)
    }

    func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList {
        try await jobs.list(request)
    }

    func report(
        _ request: JobReference, _ context: CallContext
    ) async throws -> EvaluationReport {
        let job = try await jobs.table.job(request.id)
        guard job.status == .succeeded else {
            throw EvaluatorError.notFinished(id: job.id, status: job.status.rawValue)
        }
        guard let report = EvaluationReport(result: job.result) else {
            throw EvaluatorError.unreadableResult(id: job.id)
        }
        return report
    }

    func aggregate(
        _ request: AggregateRequest, _ context: CallContext
    ) async throws -> EvaluationReport {
        guard !request.modelFirst.isEmpty else { throw EvaluatorError.noField(name: "modelFirst") }
        func read(_ hash: String) async throws -> [UInt8] {
            hash.isEmpty ? [] : try await artifacts.read(hash, patient: false)
        }
        let first = try Review.read(await read(request.modelFirst), file: request.modelFirst)
        let comparison = try Comparison(
            modelFirst: first,
            opponentFirst: Review.read(
                await read(request.opponentFirst), file: request.opponentFirst),
            questions: request.questions.isEmpty
                ? OriginalCategories.questions(of: first)
                : Question.read(await read(request.questions), file: request.questions))
        var report = EvaluationReport(comparison)
        report.reviewsModelFirst = request.modelFirst
        report.reviewsOpponentFirst = request.opponentFirst
        return report
    }

    func match(_ request: MatchRequest, _ context: CallContext) async throws -> MatchReport {
        let match = try ExactMatch(
            answers: ExactMatch.Drafted.read(
                await artifacts.read(request.answers, patient: false), file: request.answers),
            expected: Answer.read(
                await artifacts.read(request.expected, patient: false), file: request.expected))
        return MatchReport.with {
            $0.total = match.total
            $0.correct = match.correct
            $0.accuracyByRevision = match.accuracyByRevision
            $0.meanRevisions = match.meanRevisions
        }
    }
}
