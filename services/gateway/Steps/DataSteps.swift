import Corpus
import RPC
import Schema
import Wire

/// Calls that several steps make of the data service.
struct DataCalls: Sendable {
    private let data: Client

    private static let pieceBytes = 256 << 10
    private static let smallArtifactBytes = 256 << 20

    init(_ services: Services) {
        data = services.data
    }

    /// Stores bytes.
    func write(_ bytes: [UInt8], mediaType: String) async throws -> Artifact {
        try await data.clientStreaming(DataAPI.writeArtifact) { chunks in
            var offset = 0
            repeat {
                let end = min(offset + Self.pieceBytes, bytes.count)
                var chunk = ArtifactChunk()
                if offset == 0 { chunk.artifact = Artifact.with { $0.mediaType = mediaType } }
                chunk.offset = offset
                chunk.data = Array(bytes[offset..<end])
                try await chunks.write(chunk)
                offset = end
            } while offset < bytes.count
        }
    }

    /// Stores a file, however large.
    func write(file path: String, mediaType: String) async throws -> Artifact {
        try await data.clientStreaming(DataAPI.writeArtifact) { chunks in
            let reader = try FileReader(path: path)
            var offset = 0
            while true {
                let piece = try reader.read(upTo: Self.pieceBytes)
                if piece.isEmpty, offset > 0 { break }
                var chunk = ArtifactChunk()
                if offset == 0 { chunk.artifact = Artifact.with { $0.mediaType = mediaType } }
                chunk.offset = offset
                chunk.data = piece
                try await chunks.write(chunk)
                if piece.isEmpty { break }
                offset += piece.count
            }
        }
    }

    /// An artifact known to be small, such as a question file.
    func read(_ hash: String) async throws -> [UInt8] {
        let request = ArtifactRequest.with { $0.hash = hash }
        return try await data.serverStreaming(DataAPI.readArtifact, request) { chunks in
            var bytes: [UInt8] = []
            for try await chunk in chunks {
                guard bytes.count + chunk.data.count <= Self.smallArtifactBytes else {
                    throw Status(
                        .invalidArgument,
                        "artifact \(hash) has over \(Self.smallArtifactBytes) bytes")
                }
                bytes += chunk.data
            }
            return bytes
        }
    }

    /// Reads a file into a dataset.
    func importFile(_ path: String, _ header: ImportHeader) async throws -> DatasetVersion {
        try await data.clientStreaming(DataAPI.importDataset) { parts in
            try await parts.write(ImportRequest.with { $0.header = header })
            let reader = try FileReader(path: path)
            while true {
                let piece = try reader.read(upTo: Self.pieceBytes)
                if piece.isEmpty { break }
                try await parts.write(ImportRequest.with { $0.data = piece })
            }
        }
    }

    /// Reads bytes into a dataset.
    func importBytes(_ bytes: [UInt8], _ header: ImportHeader) async throws -> DatasetVersion {
        try await data.clientStreaming(DataAPI.importDataset) { parts in
            try await parts.write(ImportRequest.with { $0.header = header })
            for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
                let piece = Array(bytes[start..<min(start + Self.pieceBytes, bytes.count)])
                try await parts.write(ImportRequest.with { $0.data = piece })
            }
        }
    }

    /// What later steps can refer to of a dataset: `dataset` names exactly this version.
    static func told(_ version: DatasetVersion) -> JSON {
        [
            "dataset": .string("\(version.name)@\(version.version)"), "name": .string(version.name),
            "version": .string(version.version), "examples": .int(version.examples),
            "bytes": .int(version.bytes), "artifact": .string(version.artifact.hash),
        ]
    }
}

/// Reads a file on the gateway's machine into a dataset.
struct ImportStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var header = ImportHeader()
        header.name = try fields.text("dataset")
        header.format = try fields.choice("format") ?? .unspecified
        header.label = try fields.string("label") ?? ""
        header.englishOnly = try fields.bool("englishOnly") ?? false
        for member in fields["options"]?.objectValue ?? JSONObject() {
            header.options[member.key] = member.value.stringValue ?? member.value.text()
        }
        let path = try scope.path(try fields.text("path"))
        let asked = header
        let version = try await scope.calling("data") {
            try await DataCalls(scope.services).importFile(path, asked)
        }
        return DataCalls.told(version)
    }
}

/// Stores a file, or its first lines, as an artifact.
struct UploadStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        let path = try scope.path(try fields.text("path"))
        let mediaType = try fields.string("mediaType") ?? "application/octet-stream"
        let limit = try fields.integer("limit") ?? 0
        let calls = DataCalls(scope.services)
        let artifact = try await scope.calling("data") {
            if limit == 0 { return try await calls.write(file: path, mediaType: mediaType) }
            let lines = try FileReader.bytes(of: path).split(separator: UInt8(ascii: "\n"))
            let first = lines.prefix(limit).flatMap { $0 + [UInt8(ascii: "\n")] }
            return try await calls.write(first, mediaType: mediaType)
        }
        return ["artifact": .string(artifact.hash), "bytes": .int(artifact.bytes)]
    }
}

/// Joins datasets.
struct MergeStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = MergeRequest()
        request.name = try fields.text("dataset")
        let error = fields.wrong("inputs", "a list of datasets, or of {dataset, label}")
        guard let inputs = fields["inputs"]?.arrayValue, !inputs.isEmpty else { throw error }
        request.inputs = try inputs.map { value in
            try MergeInput.with { (input: inout MergeInput) throws in
                input.dataset = try StepFields.dataset(value["dataset"] ?? value, error)
                input.label = value["label"]?.stringValue ?? ""
            }
        }
        let asked = request
        return DataCalls.told(
            try await scope.calling("data") {
                try await scope.services.data.unary(DataAPI.merge, asked)
            })
    }
}

/// Cuts a dataset in two: `first` and `rest`.
struct SplitStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = SplitRequest()
        request.dataset = try fields.dataset("dataset")
        request.fraction = try fields.number("fraction") ?? 0
        request.count = try fields.integer("count") ?? 0
        request.seed = try fields.integer("seed") ?? 0
        request.names = (fields["names"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard request.names.count == 2 else { throw fields.wrong("names", "two names") }
        let asked = request
        let list = try await scope.calling("data") {
            try await scope.services.data.unary(DataAPI.split, asked)
        }
        func part(_ name: String) -> JSON {
            list.versions.first { $0.name == name }.map(DataCalls.told) ?? .null
        }
        return ["first": part(request.names[0]), "rest": part(request.names[1])]
    }
}

/// Counts what a dataset holds.
struct StatsStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        let dataset = try fields.dataset("dataset")
        let stats = try await scope.calling("data") {
            try await scope.services.data.unary(DataAPI.stats, dataset)
        }
        return [
            "examples": .int(stats.examples), "chains": .int(stats.chains),
            "drafts": .int(stats.drafts), "truncated": .int(stats.truncated),
            "notNeeded": .int(stats.notNeeded), "meanIterations": .double(stats.meanIterations),
            "iterations": .array(stats.iterations.map { .int(Int($0)) }),
        ]
    }
}

/// Writes a dataset into a file on the gateway's machine.
struct ExportStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        var request = ExportRequest()
        request.dataset = try fields.dataset("dataset")
        request.format = try fields.choice("format") ?? .lines
        let path = try scope.path(try fields.text("path"))
        let asked = request
        let bytes = try await scope.calling("data") {
            try await scope.services.data.serverStreaming(DataAPI.export, asked) { chunks in
                let file = try AtomicFile(temporaryPath: path + ".temporary")
                for try await chunk in chunks { try file.write(chunk.data) }
                try file.commit(to: path)
                return file.byteCount
            }
        }
        return ["path": .string(path), "bytes": .int(bytes)]
    }
}

/// Writes an artifact into a file on the gateway's machine.
struct DownloadStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        let hash = try fields.text("artifact")
        let path = try scope.path(try fields.text("path"))
        let bytes = try await scope.calling("data") {
            try await DataCalls(scope.services).read(hash)
        }
        try AtomicFile.write(bytes, to: path)
        return ["path": .string(path), "bytes": .int(bytes.count)]
    }
}
