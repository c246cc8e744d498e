public import RPC

/// Makes chains: a teacher writes feedback and revisions for a dataset.
public enum AugmentationAPI {
    public static let service = "hone.Augmentation"

    public static let start = Method<AugmentationRequest, JobState>(
        service: service, name: "Start", kind: .unary, idempotent: true)
    public static let watch = Method<WatchRequest, JobEvent>(
        service: service, name: "Watch", kind: .serverStreaming, idempotent: true)
    public static let get = Method<JobReference, JobState>(
        service: service, name: "Get", kind: .unary, idempotent: true)
    public static let cancel = Method<JobReference, JobState>(
        service: service, name: "Cancel", kind: .unary, idempotent: true)
    public static let list = Method<JobQuery, JobList>(
        service: service, name: "List", kind: .unary, idempotent: true)
    public static let retryFailed = Method<JobReference, JobState>(
        service: service, name: "RetryFailed", kind: .unary, idempotent: true)
    public static let preview = Method<PreviewRequest, PreviewReply>(
        service: service, name: "Preview", kind: .unary)

    /// Every call, as the schema lists them.
    package static let methods = [
        MethodDescription(start),
        MethodDescription(watch),
        MethodDescription(get),
        MethodDescription(cancel),
        MethodDescription(list),
        MethodDescription(retryFailed),
        MethodDescription(preview),
    ]

    /// What a service that answers these calls provides.
    public protocol Handler: Sendable {
        /// Begins a job; the same key again gives the job that is there.
        func start(_ request: AugmentationRequest, _ context: CallContext) async throws -> JobState
        /// Follows a job's events.
        func watch(
            _ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext)
            async throws
        /// Tells where a job stands.
        func get(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Ends a job; finished replies stay.
        func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Lists jobs.
        func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList
        /// Asks the teacher again for the examples that failed.
        func retryFailed(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Makes chains for the first few examples, and keeps nothing.
        func preview(_ request: PreviewRequest, _ context: CallContext) async throws -> PreviewReply
    }
}

extension Router {
    /// Answers every call of `hone.Augmentation` with `handler`.
    public mutating func register(_ handler: some AugmentationAPI.Handler) {
        unary(AugmentationAPI.start, handler.start)
        serverStreaming(AugmentationAPI.watch, handler.watch)
        unary(AugmentationAPI.get, handler.get)
        unary(AugmentationAPI.cancel, handler.cancel)
        unary(AugmentationAPI.list, handler.list)
        unary(AugmentationAPI.retryFailed, handler.retryFailed)
        unary(AugmentationAPI.preview, handler.preview)
    }
}
