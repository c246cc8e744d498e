import FoundationEssentials
public import RPC
public import Schema
import Wire

/// What every service asks of the data service: bytes by hash, datasets, models.
///
/// A call waits while the data service is away, as patiently as it is told to.
public struct DataStore: Sendable {
    public let client: Client
    public let patience: Patience

    /// Bytes of one chunk of an artifact.
    public static let chunkBytes = 256 * 1024

    public init(_ client: Client, patience: Patience = Patience(limit: .seconds(60))) {
        self.client = client
        self.patience = patience
    }

    /// The bytes of an artifact, handed over chunk by chunk.
    public func read(
        artifact hash: String, _ body: (ArraySlice<UInt8>) throws -> Void
    ) async throws {
        var offset = 0
        var waiting = Patience.Waiting(patience)
        while true {
            do {
                let request = ArtifactRequest.with {
                    $0.hash = hash
                    $0.offset = offset
                }
                try await client.serverStreaming(DataAPI.readArtifact, request) { chunks in
                    for try await chunk in chunks {
                        try body(chunk.data[...])
                        offset += chunk.data.count
                    }
                }
                return
            } catch let status as Status where Patience.isAway(status) {
                try await waiting.pause(after: status)
            }
        }
    }

    /// The bytes of an artifact in one piece.
    public func bytes(artifact hash: String) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await read(artifact: hash) { bytes += $0 }
        return bytes
    }

    /// Keeps bytes under their hash; keeping them again changes nothing.
    public func write(_ bytes: [UInt8], mediaType: String) async throws -> Artifact {
        try await patience.calling { [client] in
            try await client.clientStreaming(DataAPI.writeArtifact) { chunks in
                var offset = 0
                repeat {
                    let end = min(offset + Self.chunkBytes, bytes.count)
                    let chunk = ArtifactChunk.with {
                        if offset == 0 {
                            $0.artifact = Artifact.with { $0.mediaType = mediaType }
                        }
                        $0.offset = offset
                        $0.data = Array(bytes[offset..<end])
                    }
                    try await chunks.write(chunk)
                    offset = end
                } while offset < bytes.count
            }
        }
    }

    /// A dataset's records in one piece.
    public func export(
        _ dataset: DatasetReference, as format: ExportFormat
    ) async throws -> [UInt8] {
        try await patience.calling { [client] in
            let request = ExportRequest.with {
                $0.dataset = dataset
                $0.format = format
            }
            return try await client.serverStreaming(DataAPI.export, request) { chunks in
                var bytes: [UInt8] = []
                for try await chunk in chunks { bytes += chunk.data }
                return bytes
            }
        }
    }

    /// Brings a registered model into a folder of this machine, once.
    ///
    /// - Parameter cache: the folder that holds models, each in a folder of its own.
    /// - Returns: the model's folder; it appears only when it is whole.
    public func fetchModel(_ name: String, cache: String) async throws -> String {
        let record = try await patience.calling { [client] in
            try await client.unary(DataAPI.getModel, ModelReference.with { $0.name = name })
        }
        let safeName = String(
            name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" })
        let folder = "\(cache)/\(safeName)-\(record.createdAtMilliseconds)"
        let files = FileManager.default
        if files.fileExists(atPath: folder) { return folder }
        let partial = folder + ".partial"
        if files.fileExists(atPath: partial) { try files.removeItem(atPath: partial) }
        try files.createDirectory(atPath: partial, withIntermediateDirectories: true)
        for file in record.files {
            guard !file.path.isEmpty, !file.path.contains("/"), !file.path.hasPrefix(".") else {
                throw Status(
                    .dataLoss,
                    "the model \(name) has a file named \"\(file.path)\"; register it again")
            }
            let bytes = try await bytes(artifact: file.artifact.hash)
            try Data(bytes).write(to: URL(filePath: partial + "/" + file.path))
        }
        try files.moveItem(atPath: partial, toPath: folder)
        return folder
    }

    /// Registers a model folder under a name: its configuration, weights and tokenizer.
    public func publishModel(
        folder: String, name: String, parent: String, notes: [String: String] = [:]
    ) async throws -> ModelRecord {
        var record = ModelRecord()
        record.name = name
        record.parent = parent
        record.notes = notes
        for path in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        where Self.isModelFile(path) {
            let bytes = try [UInt8](Data(contentsOf: URL(filePath: folder + "/" + path)))
            let artifact = try await write(bytes, mediaType: "application/octet-stream")
            record.files.append(
                ModelFile.with {
                    $0.path = path
                    $0.artifact = artifact
                })
        }
        return try await patience.calling { [client, record] in
            try await client.unary(DataAPI.registerModel, record)
        }
    }

    private static func isModelFile(_ name: String) -> Bool {
        name.hasSuffix(".safetensors") || name.hasSuffix(".safetensors.index.json")
            || name.hasPrefix("tokenizer") || name == "config.json"
            || name == "generation_config.json" || name == "special_tokens_map.json"
            || name == "added_tokens.json"
    }
}
