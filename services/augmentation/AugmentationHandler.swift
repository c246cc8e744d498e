import Jobs
package import RPC
package import Schema
package import ServiceKit
import Wire

/// Answers the calls of `hone.Augmentation`.
package struct AugmentationHandler: AugmentationAPI.Handler {
    private let jobs: JobCalls
    private let runner: AugmentationRunner

    /// So many examples a preview makes at most: it is answered while the caller waits.
    private static let largestPreview = 16

    package init(jobs: JobCalls, runner: AugmentationRunner) {
        self.jobs = jobs
        self.runner = runner
    }

    /// A job that failed or was cancelled goes on where it stopped.
    package func start(
        _ request: AugmentationRequest, _ context: CallContext
    ) async throws -> JobState {
        try runner.check(request)
        guard !request.key.contains(AugmentationRunner.retryMark) else {
            throw Status(
                .invalidArgument, "the key must not hold \"\(AugmentationRunner.retryMark)\"")
        }
        return try await jobs.start(
            kind: AugmentationRunner.kind, key: request.key, request, goesOn: true)
    }

    package func watch(
        _ request: WatchRequest, _ responses: ResponseWriter<Schema.JobEvent>,
        _ context: CallContext
    ) async throws {
        try await jobs.watch(request, responses)
    }

    package func get(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        try await jobs.get(request)
    }

    package func cancel(
        _ request: JobReference, _ context: CallContext
    ) async throws -> JobState {
        try await jobs.cancel(request)
    }

    package func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList {
        try await jobs.list(request)
    }

    /// A job that failed goes on; one that succeeded gets a successor for its failed examples.
    package func retryFailed(
        _ request: JobReference, _ context: CallContext
    ) async throws -> JobState {
        let job = try await jobs.table.job(request.id)
        guard job.status == .succeeded else { return try await jobs.retry(request) }
        let mark = AugmentationRunner.retryMark
        let end = job.key.firstRange(of: mark)
        let base = String(job.key[..<(end?.lowerBound ?? job.key.endIndex)])
        let number = end.flatMap { Int(job.key[$0.upperBound...]) } ?? 0
        let next = try await jobs.table.start(
            kind: AugmentationRunner.kind, key: "\(base)\(mark)\(number + 1)", input: job.input)
        return JobState(next)
    }

    package func preview(
        _ request: PreviewRequest, _ context: CallContext
    ) async throws -> PreviewReply {
        try runner.check(request.request)
        let count = min(max(1, request.count), Self.largestPreview)
        let records = try await runner.preview(request.request, count: count)
        return PreviewReply.with { $0.records = records }
    }
}
