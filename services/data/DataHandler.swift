import Corpus
package import RPC
package import Schema

/// Answers the calls of `hone.Data`.
package struct DataHandler: DataAPI.Handler {
    private let store: DataStore
    private let datasets: Datasets

    package init(store: DataStore) {
        self.store = store
        datasets = Datasets(store: store)
    }

    package func importDataset(
        _ requests: RequestStream<ImportRequest>, _ context: CallContext
    ) async throws -> DatasetVersion {
        try await datasets.read(requests)
    }

    package func merge(
        _ request: MergeRequest, _ context: CallContext
    ) async throws -> DatasetVersion {
        try await datasets.merge(request)
    }

    package func split(
        _ request: SplitRequest, _ context: CallContext
    ) async throws -> DatasetList {
        try await datasets.split(request)
    }

    package func export(
        _ request: ExportRequest, _ responses: ResponseWriter<ArtifactChunk>,
        _ context: CallContext
    ) async throws {
        let version = try await store.version(request.dataset)
        var stream = try ExportStream(version, request.format, responses)
        try await stream.run(store)
    }

    package func stats(
        _ request: DatasetReference, _ context: CallContext
    ) async throws -> DatasetStatistics {
        try await store.statistics(request)
    }

    package func list(
        _ request: DatasetQuery, _ context: CallContext
    ) async throws -> DatasetList {
        var list = DatasetList()
        list.versions = try await store.list(request)
        return list
    }
}

// Artifacts.
extension DataHandler {
    package func writeArtifact(
        _ requests: RequestStream<ArtifactChunk>, _ context: CallContext
    ) async throws -> Artifact {
        let writer = try store.artifacts.writer()
        var announced = Artifact()
        for try await chunk in requests {
            if let artifact = chunk.artifact { announced = artifact }
            guard chunk.offset == writer.byteCount else {
                throw DataError.gap(expected: writer.byteCount, found: chunk.offset)
            }
            try writer.write(chunk.data)
        }
        if announced.bytes > 0, announced.bytes != writer.byteCount {
            throw DataError.wrongSize(expected: announced.bytes, found: writer.byteCount)
        }
        let stored = try writer.finish(expected: announced.hash)
        try await store.note(mediaType: announced.mediaType, of: stored.hash)
        return Mapping.artifact(stored, mediaType: try await store.mediaType(of: stored.hash))
    }

    /// Sends the bytes, hashing them on the way where all of them are sent: a file that was changed
    /// on the disk ends the call with `dataLoss`.
    package func readArtifact(
        _ request: ArtifactRequest, _ responses: ResponseWriter<ArtifactChunk>,
        _ context: CallContext
    ) async throws {
        let reader = try store.artifacts.open(request.hash)
        var artifact = Artifact()
        artifact.hash = request.hash
        artifact.bytes = try reader.byteCount()
        artifact.mediaType = try await store.mediaType(of: request.hash)
        guard (0...artifact.bytes).contains(request.offset) else {
            throw DataError.badOffset(offset: request.offset, bytes: artifact.bytes)
        }
        try reader.seek(to: request.offset)
        var hash = SHA256()
        var chunk = ArtifactChunk()
        chunk.artifact = artifact
        chunk.offset = request.offset
        repeat {
            try Task.checkCancellation()
            chunk.data = try reader.read(upTo: ExportStream.chunkBytes)
            hash.update(chunk.data)
            if chunk.data.isEmpty, chunk.artifact == nil { break }
            try await responses.write(chunk)
            chunk.offset += chunk.data.count
            chunk.artifact = nil
        } while !chunk.data.isEmpty
        let found = hash.finish()
        if request.offset == 0, found != request.hash {
            throw DataError.damaged(hash: request.hash, found: found)
        }
    }
}

// Models.
extension DataHandler {
    package func registerModel(
        _ request: ModelRecord, _ context: CallContext
    ) async throws -> ModelRecord {
        try Datasets.check(name: request.name)
        var model = request
        for index in model.files.indices {
            let file = model.files[index]
            try Self.check(path: file.path)
            let size = try store.artifacts.open(file.artifact.hash).byteCount()
            if file.artifact.bytes > 0, file.artifact.bytes != size {
                throw DataError.wrongSize(expected: file.artifact.bytes, found: size)
            }
            model.files[index].artifact.bytes = size
        }
        model.createdAtMilliseconds = DataStore.now()
        try await store.enter(model)
        return model
    }

    package func getModel(
        _ request: ModelReference, _ context: CallContext
    ) async throws -> ModelRecord {
        try await store.model(request.name)
    }

    package func listModels(_ request: Empty, _ context: CallContext) async throws -> ModelList {
        var list = ModelList()
        list.models = try await store.models()
        return list
    }

    /// A path must stay inside the folder it will be written to.
    private static func check(path: String) throws(DataError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isFine =
            !parts.isEmpty && parts.allSatisfy { $0 != "" && $0 != "." && $0 != ".." }
            && path.unicodeScalars.allSatisfy { $0.value >= 0x20 }
        if !isFine { throw .badModelPath(path) }
    }
}
