import Corpus
package import RPC
package import Schema
import Wire

/// Where examples come from and chains go: the data service, or, in tests, a folder.
package protocol DatasetLink: Sendable {
    /// Hands out a dataset's records, one JSON object a line, in pieces.
    func export(
        _ dataset: DatasetReference, _ body: (_ bytes: [UInt8]) async throws -> Void
    ) async throws
    /// Makes a dataset of a file of chains.
    func importChains(_ path: String, name: String) async throws -> DatasetVersion
}

/// The data service over RPC.
package struct DataServiceLink: DatasetLink {
    private let client: Client

    private static let pieceBytes = 1 << 18

    package init(_ client: Client) {
        self.client = client
    }

    package func export(
        _ dataset: DatasetReference, _ body: (_ bytes: [UInt8]) async throws -> Void
    ) async throws {
        let request = ExportRequest.with {
            $0.dataset = dataset
            $0.format = .lines
        }
        try await client.serverStreaming(DataAPI.export, request, options: .patient) { chunks in
            for try await chunk in chunks { try await body(chunk.data) }
        }
    }

    package func importChains(_ path: String, name: String) async throws -> DatasetVersion {
        try await client.clientStreaming(DataAPI.importDataset, options: .patient) { requests in
            let header = ImportHeader.with {
                $0.name = name
                $0.format = .selfee
            }
            try await requests.write(ImportRequest.with { $0.header = header })
            let file = try FileReader(path: path)
            while true {
                let bytes = try file.read(upTo: Self.pieceBytes)
                if bytes.isEmpty { break }
                try await requests.write(ImportRequest.with { $0.data = bytes })
            }
        }
    }
}

extension CallOptions {
    /// Waits for a service that is starting.
    fileprivate static var patient: CallOptions {
        var options = CallOptions.none
        options.waitForReady = true
        return options
    }
}
