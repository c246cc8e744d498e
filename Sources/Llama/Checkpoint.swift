public import FoundationEssentials
public import Tensors

/// The weights of a checkpoint folder: one safetensors file, or several with an index.
public final class Checkpoint: Sendable {
    public let folder: URL
    /// Every tensor and the file that holds it.
    private let files: [String: SafetensorsFile]

    public init(folder: URL) throws(LlamaError) {
        self.folder = folder
        let single = folder.appending(path: "model.safetensors")
        let index = folder.appending(path: "model.safetensors.index.json")
        if FileManager.default.fileExists(atPath: single.path) {
            let file = try SafetensorsFile(single)
            files = file.entries.mapValues { _ in file }
        } else if FileManager.default.fileExists(atPath: index.path) {
            files = try Checkpoint.sharded(index, folder: folder)
        } else {
            let found = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
            throw .noWeights(folder: folder.path, found: (found ?? []).sorted())
        }
    }

    /// The names of all tensors, sorted.
    public var names: [String] { files.keys.sorted() }

    public func contains(_ name: String) -> Bool { files[name] != nil }

    public func shape(_ name: String) throws(LlamaError) -> [Int] {
        try file(of: name).entries[name]?.shape ?? []
    }

    public func read(_ name: String) throws(LlamaError) -> Tensor {
        try file(of: name).read(name)
    }

    /// Reads a tensor of `shape`, which must be the stored one.
    public func read(_ name: String, shape: [Int], into tensor: Tensor) throws(LlamaError) {
        let file = try file(of: name)
        let stored = file.entries[name]?.shape ?? []
        guard stored == shape else {
            throw .tensor(
                file: file.path, name: name,
                problem: "has shape \(stored), but config.json asks for \(shape)")
        }
        try file.read(name, into: tensor)
    }

    private func file(of name: String) throws(LlamaError) -> SafetensorsFile {
        guard let file = files[name] else {
            throw .tensor(file: folder.path, name: name, problem: "is in none of the files")
        }
        return file
    }

    private struct Index: Decodable {
        var weight_map: [String: String]
    }

    private static func sharded(
        _ index: URL, folder: URL
    ) throws(LlamaError) -> [String: SafetensorsFile] {
        let map: [String: String]
        do {
            map = try JSONDecoder().decode(Index.self, from: Data(contentsOf: index)).weight_map
        } catch {
            throw .unreadable(file: index.path, reason: "\(error)")
        }
        var opened: [String: SafetensorsFile] = [:]
        var files: [String: SafetensorsFile] = [:]
        for (name, shard) in map {
            guard !shard.contains("/"), shard != ".." else {
                throw .tensor(
                    file: index.path, name: name, problem: "lies in \(shard), outside the folder")
            }
            let file: SafetensorsFile
            if let known = opened[shard] {
                file = known
            } else {
                file = try SafetensorsFile(folder.appending(path: shard))
                opened[shard] = file
            }
            guard file.entries[name] != nil else {
                throw .tensor(
                    file: file.path, name: name, problem: "is not there, though the index says so")
            }
            files[name] = file
        }
        return files
    }
}
