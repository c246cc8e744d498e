import Corpus
import DataService
import FoundationEssentials
import Schema
import Testing

@Suite struct StoreTests {
    private func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "hone-store-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func `a second process on one folder is refused`() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try DataStore(folder: folder)
        #expect(throws: DataError.inUse(path: folder + "/data.sqlite")) {
            try DataStore(folder: folder)
        }
        _ = store
    }

    @Test func `what a crash left half written is gone, what was whole is there`() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hash: String
        do {
            let store = try DataStore(folder: folder)
            hash = try store.artifacts.store(Array("whole".utf8)).hash
            var version = DatasetVersion()
            version.name = "x"
            version.version = hash
            _ = try await store.enter(version, DatasetStatistics())
        }
        try AtomicFile.write(Array("half".utf8), to: folder + "/temporary/half")
        let store = try DataStore(folder: folder)
        #expect(!FileManager.default.fileExists(atPath: folder + "/temporary/half"))
        #expect(try store.artifacts.contains(hash))
        #expect(try await store.list(DatasetQuery()).map(\.version) == [hash])
    }

    @Test func `a version is found by the beginning of its hash, if only one fits`() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try DataStore(folder: folder)
        for hash in ["aabb", "aacc"] {
            var version = DatasetVersion()
            version.name = "x"
            version.version = hash
            _ = try await store.enter(version, DatasetStatistics())
        }
        var reference = DatasetReference()
        reference.name = "x"
        #expect(try await store.version(reference).version == "aacc")
        reference.version = "aab"
        #expect(try await store.version(reference).version == "aabb")
        reference.version = "aa"
        await #expect(
            throws: DataError.ambiguousVersion(name: "x", version: "aa", matches: 2)
        ) {
            try await store.version(reference)
        }
        reference.version = "%"
        await #expect(throws: DataError.noDataset(name: "x", version: "%")) {
            try await store.version(reference)
        }
    }
}
