import Corpus
import FoundationEssentials
package import RPC
import Schema

/// Finds a model's folder: on this machine, or by fetching a registered model's files.
package struct ModelRegistry: Sendable {
    /// Nil where no data service is known: only folders can be loaded then.
    let data: Client?
    /// Where fetched models are kept.
    let folder: String
    /// Nil where what was loaded is forgotten with the process.
    let memory: ModelMemory?

    package init(data: Client?, folder: String, memory: ModelMemory? = nil) {
        self.data = data
        self.folder = folder
        self.memory = memory
    }

    /// Loads a model and remembers it. One that serves already is loaded again only where it was
    /// trained, registered or written anew.
    package func load(_ name: String, into host: ModelHost) async throws {
        let path: String
        do {
            path = try await self.path(of: name)
        } catch let status as Status where status.code == .unavailable {
            // Whether it was registered anew cannot be told now; it serves on.
            if host.loaded?.name == name { return }
            throw status
        }
        if let loaded = host.loaded, loaded.name == name, loaded.path == path,
            loaded.stamp == LoadedModel.stamp(of: path)
        {
            return
        }
        let model = try await host.load(name: name, path: path)
        try memory?.remember(name: model.name, path: model.path)
    }

    /// Loads the model that served last, if one did.
    ///
    /// - Returns: whether there was one.
    package func reload(into host: ModelHost) async throws -> Bool {
        guard let entry = memory?.recall() else { return false }
        // Its files are here; the data service need not be.
        if FileManager.default.fileExists(atPath: entry.path + "/config.json") {
            _ = try await host.load(name: entry.name, path: entry.path)
        } else {
            try await load(entry.name, into: host)
        }
        return true
    }

    /// The folder of a model, its files fetched if need be.
    func path(of name: String) async throws -> String {
        if FileManager.default.fileExists(atPath: name + "/config.json") { return name }
        guard let data, !name.isEmpty else { throw InferenceError.unknownModel(name: name) }
        var reference = ModelReference()
        reference.name = name
        let record: ModelRecord
        do {
            record = try await data.unary(DataAPI.getModel, reference)
        } catch let status as Status where status.code == .notFound {
            throw InferenceError.unknownModel(name: name)
        }
        return try await fetch(record, from: data)
    }

    /// Fetches what is not there yet. The folder's name holds the hash of all files' hashes, so a
    /// model that was registered anew gets a folder of its own.
    private func fetch(_ record: ModelRecord, from data: Client) async throws -> String {
        let files = record.files.sorted { $0.path < $1.path }
        guard !files.isEmpty else { throw InferenceError.unknownModel(name: record.name) }
        let key = SHA256.hexadecimal(
            of: files.map { "\($0.path) \($0.artifact.hash)" }.joined(separator: "\n"))
        let target = "\(folder)/\(key.prefix(32))"
        for file in files {
            let parts = file.path.split(separator: "/", omittingEmptySubsequences: false)
            guard !file.path.isEmpty, parts.allSatisfy({ $0 != ".." && $0 != "." && !$0.isEmpty })
            else {
                throw InferenceError.badFile(path: file.path, cause: "it leaves the model's folder")
            }
            let path = "\(target)/\(file.path)"
            // A file gets its name only when it is whole.
            if FileManager.default.fileExists(atPath: path) { continue }
            try FileManager.default.createDirectory(
                at: URL(filePath: path).deletingLastPathComponent(),
                withIntermediateDirectories: true)
            try await fetch(file.artifact, to: path, from: data)
        }
        return target
    }

    private func fetch(_ artifact: Artifact, to path: String, from data: Client) async throws {
        var request = ArtifactRequest()
        request.hash = artifact.hash
        try await data.serverStreaming(DataAPI.readArtifact, request) { chunks in
            let file = try AtomicFile(temporaryPath: path + ".part")
            var hash = SHA256()
            for try await chunk in chunks {
                hash.update(chunk.data)
                try file.write(chunk.data)
            }
            let found = hash.finish()
            guard found == artifact.hash else {
                throw InferenceError.badFile(
                    path: path, cause: "its hash is \(found), not \(artifact.hash)")
            }
            try file.commit(to: path)
        }
    }
}
