public import RPC

/// Lets a judge compare answers, and counts what came of it.
public enum EvaluatorAPI {
    public static let service = "hone.Evaluator"

    public static let start = Method<EvaluationRequest, JobState>(
        service: service, name: "Start", kind: .unary, idempotent: true)
    public static let watch = Method<WatchRequest, JobEvent>(
        service: service, name: "Watch", kind: .serverStreaming, idempotent: true)
    public static let get = Method<JobReference, JobState>(
        service: service, name: "Get", kind: .unary, idempotent: true)
    public static let cancel = Method<JobReference, JobState>(
        service: service, name: "Cancel", kind: .unary, idempotent: true)
    public static let list = Method<JobQuery, JobList>(
        service: service, name: "List", kind: .unary, idempotent: true)
    public static let report = Method<JobReference, EvaluationReport>(
        service: service, name: "Report", kind: .unary, idempotent: true)
    public static let aggregate = Method<AggregateRequest, EvaluationReport>(
        service: service, name: "Aggregate", kind: .unary, idempotent: true)
    public static let match = Method<MatchRequest, MatchReport>(
        service: service, name: "Match", kind: .unary, idempotent: true)

    /// Every call, as the schema lists them.
    package static let methods = [
        MethodDescription(start),
        MethodDescription(watch),
        MethodDescription(get),
        MethodDescription(cancel),
        MethodDescription(list),
        MethodDescription(report),
        MethodDescription(aggregate),
        MethodDescription(match),
    ]

    /// What a service that answers these calls provides.
    public protocol Handler: Sendable {
        /// Begins judging; the same key again gives the job that is there.
        func start(_ request: EvaluationRequest, _ context: CallContext) async throws -> JobState
        /// Follows a job's events.
        func watch(
            _ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext)
            async throws
        /// Tells where a job stands.
        func get(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Ends a job; reviews that are there stay.
        func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Lists jobs.
        func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList
        /// Counts the reviews of a job.
        func report(_ request: JobReference, _ context: CallContext) async throws
            -> EvaluationReport
        /// Counts reviews made elsewhere.
        func aggregate(_ request: AggregateRequest, _ context: CallContext) async throws
            -> EvaluationReport
        /// Compares answers with the known ones.
        func match(_ request: MatchRequest, _ context: CallContext) async throws -> MatchReport
    }
}

extension Router {
    /// Answers every call of `hone.Evaluator` with `handler`.
    public mutating func register(_ handler: some EvaluatorAPI.Handler) {
        unary(EvaluatorAPI.start, handler.start)
        serverStreaming(EvaluatorAPI.watch, handler.watch)
        unary(EvaluatorAPI.get, handler.get)
        unary(EvaluatorAPI.cancel, handler.cancel)
        unary(EvaluatorAPI.list, handler.list)
        unary(EvaluatorAPI.report, handler.report)
        unary(EvaluatorAPI.aggregate, handler.aggregate)
        unary(EvaluatorAPI.match, handler.match)
    }
}
