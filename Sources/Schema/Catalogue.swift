package import RPC
package import Wire

/// Everything the schema files declare, for the tests that hold text and code together.
package enum Catalogue {
    package static let messages: [any WireMessage.Type] = [
        Empty.self,
        Artifact.self,
        ArtifactChunk.self,
        ChatEndpoint.self,

        StatusDetails.self,
        FieldViolation.self,

        JobReference.self,
        JobState.self,
        WatchRequest.self,
        JobEvent.self,
        JobQuery.self,
        JobList.self,

        ImportHeader.self,
        ImportRequest.self,
        DatasetReference.self,
        DatasetVersion.self,
        MergeInput.self,
        MergeRequest.self,
        SplitRequest.self,
        ExportRequest.self,
        DatasetStatistics.self,
        DatasetQuery.self,
        DatasetList.self,
        ArtifactRequest.self,
        ModelFile.self,
        ModelRecord.self,
        ModelReference.self,
        ModelList.self,

        AugmentationRequest.self,
        PreviewRequest.self,
        PreviewReply.self,

        TrainingParameters.self,
        TrainingRequest.self,
        CheckpointReply.self,
        DiffRequest.self,

        ChatMessage.self,
        RevisionPolicy.self,
        Sampling.self,
        GenerateRequest.self,
        SegmentReference.self,
        Verdict.self,
        Usage.self,
        GenerateEvent.self,
        CompleteRequest.self,
        CompletionEvent.self,
        TokenizeRequest.self,
        TokenizeReply.self,
        DetokenizeRequest.self,
        DetokenizeReply.self,
        ScoreRequest.self,
        TopList.self,
        ScoreReply.self,
        InferenceStatus.self,
        LoadRequest.self,

        EvaluationRequest.self,
        EvaluationReport.self,
        AggregateRequest.self,
        MatchRequest.self,
        MatchReport.self,

        WorkflowRequest.self,
        StepState.self,
        StepList.self,

        DescribeRequest.self,
        Description.self,
        SchemaSource.self,
        MetricsRequest.self,
        MetricsReply.self,
    ]

    package static let enumerations: [any WireEnum.Type] = [
        ChainMode.self,

        JobStatus.self,
        JobEventKind.self,

        DatasetFormat.self,
        ExportFormat.self,

        AugmentationProcedure.self,

        TrainingObjective.self,

        RevisionMode.self,
        Rollback.self,
        GenerateEventKind.self,
        SegmentKind.self,
    ]

    package static let methods: [MethodDescription] = [
        DataAPI.methods, AugmentationAPI.methods, TrainerAPI.methods, InferenceAPI.methods,
        EvaluatorAPI.methods, GatewayAPI.methods, AdminAPI.methods,
    ].flatMap(\.self)
}

/// A method without its types.
package struct MethodDescription: Sendable, Equatable {
    package let path: String
    package let kind: CallKind
    package let isIdempotent: Bool
    package let request: String
    package let response: String

    package init<Request, Response>(_ method: Method<Request, Response>) {
        path = method.path
        kind = method.kind
        isIdempotent = method.idempotent
        request = Request.wireName
        response = Response.wireName
    }
}
