import RPC
import Schema
import Wire

/// Files by hash, in the data service.
struct ArtifactStore: Sendable {
    private let client: Client

    /// A judge's files are small; more than this is a mistake.
    private static let maximumBytes = 256 << 20
    private static let chunkBytes = 256 << 10

    init(_ client: Client) {
        self.client = client
    }

    /// The bytes of an artifact.
    ///
    /// - Parameter patient: whether to wait for a data service that is not there yet.
    func read(_ hash: String, patient: Bool) async throws -> [UInt8] {
        var options = CallOptions.none
        options.waitForReady = patient
        let request = ArtifactRequest.with { $0.hash = hash }
        return try await client.serverStreaming(DataAPI.readArtifact, request, options: options) {
            chunks in
            var bytes: [UInt8] = []
            var announced = 0
            for try await chunk in chunks {
                if let artifact = chunk.artifact { announced = artifact.bytes }
                guard max(announced, bytes.count + chunk.data.count) <= Self.maximumBytes else {
                    throw EvaluatorError.artifact(
                        hash: hash, bytes: announced, limit: Self.maximumBytes)
                }
                bytes += chunk.data
            }
            guard bytes.count == announced else {
                throw EvaluatorError.cutArtifact(hash: hash, bytes: announced, found: bytes.count)
            }
            return bytes
        }
    }

    /// Stores bytes; waits for a data service that is not there yet.
    func write(_ bytes: [UInt8], mediaType: String) async throws -> String {
        var options = CallOptions.none
        options.waitForReady = true
        let artifact = try await client.clientStreaming(DataAPI.writeArtifact, options: options) {
            requests in
            var offset = 0
            repeat {
                let end = min(offset + Self.chunkBytes, bytes.count)
                let chunk = ArtifactChunk.with {
                    if offset == 0 {
                        $0.artifact = Artifact.with {
                            $0.bytes = bytes.count
                            $0.mediaType = mediaType
                        }
                    }
                    $0.offset = offset
                    $0.data = Array(bytes[offset..<end])
                }
                try await requests.write(chunk)
                offset = end
            } while offset < bytes.count
        }
        return artifact.hash
    }
}
