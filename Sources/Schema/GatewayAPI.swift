public import RPC

/// Composes the other services: workflows whose steps are jobs.
public enum GatewayAPI {
    public static let service = "hone.Gateway"

    public static let runWorkflow = Method<WorkflowRequest, JobState>(
        service: service, name: "RunWorkflow", kind: .unary, idempotent: true)
    public static let watchWorkflow = Method<WatchRequest, JobEvent>(
        service: service, name: "WatchWorkflow", kind: .serverStreaming, idempotent: true)
    public static let get = Method<JobReference, JobState>(
        service: service, name: "Get", kind: .unary, idempotent: true)
    public static let cancel = Method<JobReference, JobState>(
        service: service, name: "Cancel", kind: .unary, idempotent: true)
    public static let list = Method<JobQuery, JobList>(
        service: service, name: "List", kind: .unary, idempotent: true)
    public static let steps = Method<JobReference, StepList>(
        service: service, name: "Steps", kind: .unary, idempotent: true)

    /// Every call, as the schema lists them.
    package static let methods = [
        MethodDescription(runWorkflow),
        MethodDescription(watchWorkflow),
        MethodDescription(get),
        MethodDescription(cancel),
        MethodDescription(list),
        MethodDescription(steps),
    ]

    /// What a service that answers these calls provides.
    public protocol Handler: Sendable {
        /// Begins a workflow; the same key again gives the workflow that is there.
        func runWorkflow(_ request: WorkflowRequest, _ context: CallContext) async throws
            -> JobState
        /// Follows a workflow's events.
        func watchWorkflow(
            _ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext)
            async throws
        /// Tells where a workflow stands.
        func get(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Ends a workflow and the job its step waits for.
        func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState
        /// Lists workflows.
        func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList
        /// Tells where each step of a workflow stands.
        func steps(_ request: JobReference, _ context: CallContext) async throws -> StepList
    }
}

extension Router {
    /// Answers every call of `hone.Gateway` with `handler`.
    public mutating func register(_ handler: some GatewayAPI.Handler) {
        unary(GatewayAPI.runWorkflow, handler.runWorkflow)
        serverStreaming(GatewayAPI.watchWorkflow, handler.watchWorkflow)
        unary(GatewayAPI.get, handler.get)
        unary(GatewayAPI.cancel, handler.cancel)
        unary(GatewayAPI.list, handler.list)
        unary(GatewayAPI.steps, handler.steps)
    }
}
