package import Corpus
import FoundationEssentials

/// Bytes by their hash: `objects/ab/cdef…` for the artifact `abcdef…`.
///
/// ```
///   temporary/<uuid> ──write, hash──▶ fsync ──rename──▶ objects/ab/cdef…
/// ```
/// What has a name there is whole. What a crash leaves in `temporary/` is removed at the next start.
package struct ArtifactStore: Sendable {
    private let folder: String

    /// - Parameter folder: owned by one process alone, which the database beside it sees to.
    package init(folder: String) throws {
        self.folder = folder
        let files = FileManager.default
        if files.fileExists(atPath: temporaryFolder) {
            try files.removeItem(atPath: temporaryFolder)
        }
        try files.createDirectory(atPath: temporaryFolder, withIntermediateDirectories: true)
        for number in 0..<256 {
            let digits = String(number, radix: 16)
            let name = (digits.utf8.count < 2 ? "0" : "") + digits
            try files.createDirectory(
                atPath: folder + "/objects/" + name, withIntermediateDirectories: true)
        }
        try AtomicFile.synchronize(folder: folder + "/objects")
        try AtomicFile.synchronize(folder: folder)
    }

    private var temporaryFolder: String { folder + "/temporary" }

    /// Where the artifact's file is, whether it is there or not.
    package func path(of hash: String) throws(DataError) -> String {
        let isHash =
            hash.utf8.count == 64
            && hash.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard isHash else { throw .badHash(hash) }
        return "\(folder)/objects/\(hash.prefix(2))/\(hash.dropFirst(2))"
    }

    package func contains(_ hash: String) throws(DataError) -> Bool {
        FileManager.default.fileExists(atPath: try path(of: hash))
    }

    /// Opens the artifact's file.
    package func open(_ hash: String) throws(DataError) -> FileReader {
        let path = try path(of: hash)
        guard FileManager.default.fileExists(atPath: path) else { throw .noArtifact(hash: hash) }
        do {
            return try FileReader(path: path)
        } catch {
            throw .corpus(error)
        }
    }

    package func writer() throws(DataError) -> ArtifactWriter {
        do {
            let file = try AtomicFile(temporaryPath: "\(temporaryFolder)/\(UUID().uuidString)")
            return ArtifactWriter(store: self, file: file)
        } catch {
            throw .corpus(error)
        }
    }

    /// Stores bytes that are in memory already.
    package func store(_ bytes: [UInt8]) throws(DataError) -> StoredArtifact {
        let writer = try writer()
        try writer.write(bytes)
        return try writer.finish()
    }
}

/// What was stored.
package struct StoredArtifact: Sendable, Equatable {
    package let hash: String
    package let bytes: Int
}

/// One artifact on its way to the disk; dropped unfinished, it leaves nothing behind.
package final class ArtifactWriter {
    private let store: ArtifactStore
    private let file: AtomicFile
    private var hash = SHA256()
    private var pending: [UInt8] = []
    package private(set) var byteCount = 0

    private static let pieceBytes = 1 << 18

    fileprivate init(store: ArtifactStore, file: AtomicFile) {
        self.store = store
        self.file = file
    }

    package func write(_ bytes: [UInt8]) throws(DataError) {
        byteCount += bytes.count
        pending += bytes
        if pending.count >= Self.pieceBytes { try flush() }
    }

    /// Gives the bytes their name; the same bytes again are the same file.
    ///
    /// - Parameter expected: the hash the sender announced; empty where it announced none.
    package func finish(expected: String = "") throws(DataError) -> StoredArtifact {
        try flush()
        let found = hash.finish()
        if !expected.isEmpty, expected != found {
            throw .wrongHash(expected: expected, found: found)
        }
        if try !store.contains(found) {
            let path = try store.path(of: found)
            do {
                try file.commit(to: path)
            } catch {
                throw .corpus(error)
            }
        }
        return StoredArtifact(hash: found, bytes: byteCount)
    }

    private func flush() throws(DataError) {
        guard !pending.isEmpty else { return }
        hash.update(pending)
        do {
            try file.write(pending)
        } catch {
            throw .corpus(error)
        }
        pending = []
    }
}
