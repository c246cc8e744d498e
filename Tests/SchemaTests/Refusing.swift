import RPC
import Schema

/// Answers every call of every service with a refusal.
struct Refusing: DataAPI.Handler, AugmentationAPI.Handler, TrainerAPI.Handler, InferenceAPI.Handler,
    EvaluatorAPI.Handler, GatewayAPI.Handler, AdminAPI.Handler
{
    private let refusal = Status(.unimplemented, "this handler refuses")

    func start(_ request: AugmentationRequest, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func watch(
        _ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext
    ) async throws {
        throw refusal
    }

    func get(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList {
        throw refusal
    }

    func retryFailed(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func preview(_ request: PreviewRequest, _ context: CallContext) async throws -> PreviewReply {
        throw refusal
    }

    func importDataset(_ requests: RequestStream<ImportRequest>, _ context: CallContext)
        async throws -> DatasetVersion
    {
        throw refusal
    }

    func merge(_ request: MergeRequest, _ context: CallContext) async throws -> DatasetVersion {
        throw refusal
    }

    func split(_ request: SplitRequest, _ context: CallContext) async throws -> DatasetList {
        throw refusal
    }

    func export(
        _ request: ExportRequest, _ responses: ResponseWriter<ArtifactChunk>, _ context: CallContext
    ) async throws {
        throw refusal
    }

    func stats(_ request: DatasetReference, _ context: CallContext) async throws
        -> DatasetStatistics
    {
        throw refusal
    }

    func list(_ request: DatasetQuery, _ context: CallContext) async throws -> DatasetList {
        throw refusal
    }

    func writeArtifact(_ requests: RequestStream<ArtifactChunk>, _ context: CallContext)
        async throws -> Artifact
    {
        throw refusal
    }

    func readArtifact(
        _ request: ArtifactRequest, _ responses: ResponseWriter<ArtifactChunk>,
        _ context: CallContext
    ) async throws {
        throw refusal
    }

    func registerModel(_ request: ModelRecord, _ context: CallContext) async throws -> ModelRecord {
        throw refusal
    }

    func getModel(_ request: ModelReference, _ context: CallContext) async throws -> ModelRecord {
        throw refusal
    }

    func listModels(_ request: Empty, _ context: CallContext) async throws -> ModelList {
        throw refusal
    }

    func start(_ request: EvaluationRequest, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func report(_ request: JobReference, _ context: CallContext) async throws -> EvaluationReport {
        throw refusal
    }

    func aggregate(_ request: AggregateRequest, _ context: CallContext) async throws
        -> EvaluationReport
    {
        throw refusal
    }

    func match(_ request: MatchRequest, _ context: CallContext) async throws -> MatchReport {
        throw refusal
    }

    func runWorkflow(_ request: WorkflowRequest, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func watchWorkflow(
        _ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext
    ) async throws {
        throw refusal
    }

    func steps(_ request: JobReference, _ context: CallContext) async throws -> StepList {
        throw refusal
    }

    func generate(
        _ request: GenerateRequest, _ responses: ResponseWriter<GenerateEvent>,
        _ context: CallContext
    ) async throws {
        throw refusal
    }

    func complete(
        _ request: CompleteRequest, _ responses: ResponseWriter<CompletionEvent>,
        _ context: CallContext
    ) async throws {
        throw refusal
    }

    func tokenize(_ request: TokenizeRequest, _ context: CallContext) async throws -> TokenizeReply
    {
        throw refusal
    }

    func detokenize(_ request: DetokenizeRequest, _ context: CallContext) async throws
        -> DetokenizeReply
    {
        throw refusal
    }

    func score(_ request: ScoreRequest, _ context: CallContext) async throws -> ScoreReply {
        throw refusal
    }

    func status(_ request: Empty, _ context: CallContext) async throws -> InferenceStatus {
        throw refusal
    }

    func load(_ request: LoadRequest, _ context: CallContext) async throws -> InferenceStatus {
        throw refusal
    }

    func start(_ request: TrainingRequest, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func resume(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        throw refusal
    }

    func checkpointNow(_ request: JobReference, _ context: CallContext) async throws
        -> CheckpointReply
    {
        throw refusal
    }

    func makeDiff(_ request: DiffRequest, _ context: CallContext) async throws -> Empty {
        throw refusal
    }

    func applyDiff(_ request: DiffRequest, _ context: CallContext) async throws -> Empty {
        throw refusal
    }

    func describe(
        _ request: DescribeRequest, _ context: CallContext
    ) async throws -> Description {
        throw refusal
    }

    func metrics(
        _ request: MetricsRequest, _ context: CallContext
    ) async throws -> MetricsReply {
        throw refusal
    }
}
