public import RPC

/// Trains models on chains, and keeps their checkpoints and curves.
public enum TrainerAPI {
    public static let service = "hone.Trainer"

    public static let start = Method<TrainingRequest, JobState>(
        service: service, name: "Start", kind: .unary, idempotent: true)
    public static let watch = Method<WatchRequest, JobEvent>(
        service: service, name: "Watch", kind: .serverStreaming, idempotent: true)
    public static let get = Method<JobReference, JobState>(
        service: service, name: "Get", kind: .unary, idempotent: true)
    public static let cancel = Method<JobReference, JobState>(
        service: service, name: "Cancel", kind: .unary, idempotent: true)
    public static let list = Method<JobQuery, JobList>(
        service: service, name: "List", kind: .unary, idempotent: true)
    public static let resume = Method<JobReference, JobState>(
        service: service, name: "Resume", kind: .unary, idempotent: true)
    public static let checkpointNow = Method<JobReference, CheckpointReply>(
        service: service, name: "CheckpointNow", kind: .unary)
    public static let makeDiff = Method<DiffRequest, Empty>(
        service: service, name: "MakeDiff", kind: .unary, idempotent: true)
    public static let applyDiff = Method<DiffRequest, Empty>(
        service: service, name: "ApplyDiff", kind: .unary, idempotent: true)

    /// Every call, as the schema lists them.
    package static let methods = [
        MethodDescription(start),
        MethodDescription(watch),
        MethodDescription(get),
        MethodDescription(cancel),
        MethodDescription(list),
        MethodDescription(resume),
        MethodDescription(checkpointNow),
        MethodDescription(makeDiff),
        MethodDescription(applyDiff),
    ]

    /// What a service that answers these calls provides.
    public protocol Handler: Sendable {
        /// Begins a run; the same key again gives the run that is there.
        func start(_ request: TrainingRequest, _ context: CallContext) async throws -> JobState
        /// Follows a run's events; the loss comes as metrics.
        func watch(
            _ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext)
            async throws
        /// Tells where a run stands.
        func get(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Ends a run; its checkpoints stay.
        func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Lists runs.
        func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList
        /// Goes on with a stopped run from its last checkpoint.
        func resume(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Writes a checkpoint after the step in work.
        func checkpointNow(_ request: JobReference, _ context: CallContext) async throws
            -> CheckpointReply
        /// Writes the difference between a tuned model and its base.
        func makeDiff(_ request: DiffRequest, _ context: CallContext) async throws -> Empty
        /// Rebuilds a tuned model from its base and a difference.
        func applyDiff(_ request: DiffRequest, _ context: CallContext) async throws -> Empty
    }
}

extension Router {
    /// Answers every call of `hone.Trainer` with `handler`.
    public mutating func register(_ handler: some TrainerAPI.Handler) {
        unary(TrainerAPI.start, handler.start)
        serverStreaming(TrainerAPI.watch, handler.watch)
        unary(TrainerAPI.get, handler.get)
        unary(TrainerAPI.cancel, handler.cancel)
        unary(TrainerAPI.list, handler.list)
        unary(TrainerAPI.resume, handler.resume)
        unary(TrainerAPI.checkpointNow, handler.checkpointNow)
        unary(TrainerAPI.makeDiff, handler.makeDiff)
        unary(TrainerAPI.applyDiff, handler.applyDiff)
    }
}
