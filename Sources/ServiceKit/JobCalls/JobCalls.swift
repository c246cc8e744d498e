public import Jobs
public import RPC
public import Schema
public import Wire

/// The calls every service with jobs answers alike, over its table.
///
/// ```swift
/// func start(_ request: TrainingRequest, _ context: CallContext) async throws -> JobState {
///     try check(request)
///     return try await jobs.start(kind: "training", key: request.key, request)
/// }
/// func watch(_ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext)
///     async throws { try await jobs.watch(request, responses) }
/// func get(_ request: JobReference, _ context: CallContext) async throws -> JobState {
///     try await jobs.get(request)
/// }
/// ```
public struct JobCalls: Sendable {
    public let table: JobTable

    private static let usualListLimit = 100
    private static let longestList = 1_000

    public init(_ table: JobTable) {
        self.table = table
    }

    /// Starts a job whose input is the request's bytes, or finds the one its key has started.
    ///
    /// The runner reads it back with `Request(decoding: context.job.input)`.
    ///
    /// - Parameter goesOn: whether a job that failed or was cancelled goes on with this request.
    public func start(
        kind: String, key: String, _ request: some WireMessage, goesOn: Bool = false
    ) async throws -> JobState {
        guard !key.isEmpty else {
            throw Status.invalid(
                "the request has no key; give one, so that asking again does not start twice",
                domain: "hone.jobs", [FieldViolation("key", "is not empty")])
        }
        return JobState(
            try await table.start(
                kind: kind, key: key, input: request.encoded(), goesOn: goesOn))
    }

    /// Sends every event after the sequence number, stored and live, until the job has ended.
    public func watch(
        _ request: WatchRequest, _ responses: ResponseWriter<Schema.JobEvent>
    ) async throws {
        for try await event in table.events(of: request.id, after: request.afterSequence) {
            try await responses.write(Schema.JobEvent(event))
        }
    }

    public func get(_ request: JobReference) async throws -> JobState {
        JobState(try await table.job(request.id))
    }

    public func cancel(_ request: JobReference) async throws -> JobState {
        JobState(try await table.cancel(request.id))
    }

    /// Queues a failed or cancelled job again, with what it has saved.
    public func retry(_ request: JobReference) async throws -> JobState {
        JobState(try await table.retry(request.id))
    }

    public func list(_ request: JobQuery) async throws -> JobList {
        let limit = request.limit == 0 ? Self.usualListLimit : request.limit
        let jobs = try await table.jobs(
            kind: request.kind.isEmpty ? nil : request.kind, status: request.status.tableStatus,
            limit: min(limit, Self.longestList))
        return JobList.with { $0.jobs = jobs.map(JobState.init) }
    }
}
