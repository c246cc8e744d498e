public import RPC

/// Owns datasets with their versions, artifacts by hash, and the registry of models.
public enum DataAPI {
    public static let service = "hone.Data"

    public static let importDataset = Method<ImportRequest, DatasetVersion>(
        service: service, name: "Import", kind: .clientStreaming)
    public static let merge = Method<MergeRequest, DatasetVersion>(
        service: service, name: "Merge", kind: .unary, idempotent: true)
    public static let split = Method<SplitRequest, DatasetList>(
        service: service, name: "Split", kind: .unary, idempotent: true)
    public static let export = Method<ExportRequest, ArtifactChunk>(
        service: service, name: "Export", kind: .serverStreaming, idempotent: true)
    public static let stats = Method<DatasetReference, DatasetStatistics>(
        service: service, name: "Stats", kind: .unary, idempotent: true)
    public static let list = Method<DatasetQuery, DatasetList>(
        service: service, name: "List", kind: .unary, idempotent: true)
    public static let writeArtifact = Method<ArtifactChunk, Artifact>(
        service: service, name: "WriteArtifact", kind: .clientStreaming)
    public static let readArtifact = Method<ArtifactRequest, ArtifactChunk>(
        service: service, name: "ReadArtifact", kind: .serverStreaming, idempotent: true)
    public static let registerModel = Method<ModelRecord, ModelRecord>(
        service: service, name: "RegisterModel", kind: .unary, idempotent: true)
    public static let getModel = Method<ModelReference, ModelRecord>(
        service: service, name: "GetModel", kind: .unary, idempotent: true)
    public static let listModels = Method<Empty, ModelList>(
        service: service, name: "ListModels", kind: .unary, idempotent: true)

    /// Every call, as the schema lists them.
    package static let methods = [
        MethodDescription(importDataset),
        MethodDescription(merge),
        MethodDescription(split),
        MethodDescription(export),
        MethodDescription(stats),
        MethodDescription(list),
        MethodDescription(writeArtifact),
        MethodDescription(readArtifact),
        MethodDescription(registerModel),
        MethodDescription(getModel),
        MethodDescription(listModels),
    ]

    /// What a service that answers these calls provides.
    public protocol Handler: Sendable {
        /// Reads a file into a new dataset version: a header, then the file's bytes in parts.
        func importDataset(_ requests: RequestStream<ImportRequest>, _ context: CallContext)
            async throws -> DatasetVersion
        /// Joins datasets in the order given into a new version.
        func merge(_ request: MergeRequest, _ context: CallContext) async throws -> DatasetVersion
        /// Cuts a dataset in two.
        func split(_ request: SplitRequest, _ context: CallContext) async throws -> DatasetList
        /// Writes a dataset out in a file format.
        func export(
            _ request: ExportRequest, _ responses: ResponseWriter<ArtifactChunk>,
            _ context: CallContext) async throws
        /// Counts what a dataset holds and what its import refused.
        func stats(_ request: DatasetReference, _ context: CallContext) async throws
            -> DatasetStatistics
        /// Lists datasets.
        func list(_ request: DatasetQuery, _ context: CallContext) async throws -> DatasetList
        /// Stores bytes; the same bytes again are the same artifact.
        func writeArtifact(_ requests: RequestStream<ArtifactChunk>, _ context: CallContext)
            async throws -> Artifact
        /// Hands out an artifact's bytes from an offset on.
        func readArtifact(
            _ request: ArtifactRequest, _ responses: ResponseWriter<ArtifactChunk>,
            _ context: CallContext) async throws
        /// Enters a model; the same name again replaces the entry.
        func registerModel(_ request: ModelRecord, _ context: CallContext) async throws
            -> ModelRecord
        /// Looks a model up.
        func getModel(_ request: ModelReference, _ context: CallContext) async throws -> ModelRecord
        /// Lists the models entered.
        func listModels(_ request: Empty, _ context: CallContext) async throws -> ModelList
    }
}

extension Router {
    /// Answers every call of `hone.Data` with `handler`.
    public mutating func register(_ handler: some DataAPI.Handler) {
        clientStreaming(DataAPI.importDataset, handler.importDataset)
        unary(DataAPI.merge, handler.merge)
        unary(DataAPI.split, handler.split)
        serverStreaming(DataAPI.export, handler.export)
        unary(DataAPI.stats, handler.stats)
        unary(DataAPI.list, handler.list)
        clientStreaming(DataAPI.writeArtifact, handler.writeArtifact)
        serverStreaming(DataAPI.readArtifact, handler.readArtifact)
        unary(DataAPI.registerModel, handler.registerModel)
        unary(DataAPI.getModel, handler.getModel)
        unary(DataAPI.listModels, handler.listModels)
    }
}
