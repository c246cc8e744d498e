import DataService
import FoundationEssentials
import RPC
import Schema
import Testing

/// A data service of its own folder, reached through real calls on loopback.
struct Harness {
    let client: Client
    let folder: String

    /// Runs `body` with a service over `folder`, then ends it.
    static func run(
        folder: String? = nil, _ body: (Harness) async throws -> Void
    ) async throws {
        let own = FileManager.default.temporaryDirectory
            .appending(path: "hone-data-\(UUID().uuidString)").path
        let place = folder ?? own
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true)
        defer { if folder == nil { try? FileManager.default.removeItem(atPath: own) } }
        var router = Router()
        router.register(DataHandler(store: try DataStore(folder: place)))
        let server = Server(ServerConfiguration(), router: router)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let port = try await server.listeningPort()
            let client = Client(try Target(parsing: "127.0.0.1:\(port)"))
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            try await body(Harness(client: client, folder: place))
        }
    }

    func importText(
        _ text: String, _ name: String, _ format: DatasetFormat,
        _ adjust: (inout ImportHeader) -> Void = { _ in }
    ) async throws -> DatasetVersion {
        try await importBytes(Array(text.utf8), name, format, adjust)
    }

    func importBytes(
        _ bytes: [UInt8], _ name: String, _ format: DatasetFormat,
        _ adjust: (inout ImportHeader) -> Void = { _ in }
    ) async throws -> DatasetVersion {
        var header = ImportHeader()
        header.name = name
        header.format = format
        adjust(&header)
        let begin = header
        return try await client.clientStreaming(DataAPI.importDataset) { requests in
            var request = ImportRequest()
            request.header = begin
            try await requests.write(request)
            request.header = nil
            for start in stride(from: 0, to: bytes.count, by: 50_000) {
                request.data = Array(bytes[start..<min(start + 50_000, bytes.count)])
                try await requests.write(request)
            }
        }
    }

    func export(
        _ name: String, _ format: ExportFormat, version: String = ""
    ) async throws -> [UInt8] {
        var request = ExportRequest()
        request.dataset.name = name
        request.dataset.version = version
        request.format = format
        return try await client.serverStreaming(DataAPI.export, request) { chunks in
            var bytes: [UInt8] = []
            for try await chunk in chunks {
                #expect(chunk.offset == bytes.count)
                bytes += chunk.data
            }
            return bytes
        }
    }

    func stats(_ name: String) async throws -> DatasetStatistics {
        var reference = DatasetReference()
        reference.name = name
        return try await client.unary(DataAPI.stats, reference)
    }

    func list(all: Bool = false, prefix: String = "") async throws -> [DatasetVersion] {
        var query = DatasetQuery()
        query.allVersions = all
        query.namePrefix = prefix
        return try await client.unary(DataAPI.list, query).versions
    }

    func write(
        _ bytes: [UInt8], hash: String = "", mediaType: String = "", piece: Int = 100_000
    ) async throws -> Artifact {
        try await client.clientStreaming(DataAPI.writeArtifact) { requests in
            var chunk = ArtifactChunk()
            var artifact = Artifact()
            artifact.hash = hash
            artifact.mediaType = mediaType
            chunk.artifact = artifact
            repeat {
                let end = min(chunk.offset + piece, bytes.count)
                chunk.data = Array(bytes[chunk.offset..<end])
                try await requests.write(chunk)
                chunk.offset = end
                chunk.artifact = nil
            } while chunk.offset < bytes.count
        }
    }

    func read(_ hash: String, from offset: Int = 0) async throws -> (Artifact, [UInt8]) {
        var request = ArtifactRequest()
        request.hash = hash
        request.offset = offset
        return try await client.serverStreaming(DataAPI.readArtifact, request) { chunks in
            var artifact = Artifact()
            var bytes: [UInt8] = []
            for try await chunk in chunks {
                if let first = chunk.artifact { artifact = first }
                #expect(chunk.offset == offset + bytes.count)
                bytes += chunk.data
            }
            return (artifact, bytes)
        }
    }

    /// The code of the status a call fails with; nil where it succeeds.
    func code(_ body: () async throws -> Void) async -> Status.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? Status)?.code ?? .unknown
        }
    }
}

enum Rows {
    static func chain(_ instruction: String, feedback: String = "Revision is not needed.") -> String
    {
        """
        {"iteration_truncated": false, "instruction": "\(instruction)", "input": "", \
        "iteration": 1, "outputs": [{"output": "o", "feedback": "\(feedback)"}]}
        """
    }
}
