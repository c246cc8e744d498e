public import FoundationEssentials

/// Where the real datasets, tokenizers and reference values lie, when the machine has them.
///
/// The folder is named by `HONE_SHARED`, or found as `shared` beside the repository.
public enum SharedData {
    /// The folder, or nil where there is none: tests that need it are then skipped by name.
    public static let folder: URL? = {
        let named = ProcessInfo.processInfo.environment["HONE_SHARED"]
        let beside = repository.deletingLastPathComponent().appending(path: "shared").path
        let path = named ?? beside
        return FileManager.default.fileExists(atPath: path + "/data")
            ? URL(filePath: path, directoryHint: .isDirectory) : nil
    }()

    /// The root of this repository.
    public static let repository: URL =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Says why a test is skipped.
    public static let reason: String = "the shared data folder is not there (HONE_SHARED)"

    public static var isPresent: Bool { folder != nil }

    /// A file in the folder, by its path below it.
    public static func file(_ path: String) throws -> URL {
        guard let folder else { throw Missing(path: path) }
        return folder.appending(path: path)
    }

    public struct Missing: Error, CustomStringConvertible {
        public let path: String
        public var description: String { "\(path): \(SharedData.reason)" }
    }
}
