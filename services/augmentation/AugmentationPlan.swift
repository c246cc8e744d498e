import Corpus
import FoundationEssentials
package import Revising

/// What one run is to do; constant while it runs.
package struct AugmentationPlan: Sendable {
    package var inputPath: String
    package var outputPath: String
    package var failPath: String
    package var procedure: Revising.AugmentationProcedure.Kind
    package var mode: Revising.ChainMode
    /// The first so many examples; nil for all.
    package var limit: Int?
    /// Examples in work at once.
    package var concurrency: Int
    /// Whether examples that failed before are tried again.
    package var retriesFailed = false

    package static let usualConcurrency = 64

    package init(
        inputPath: String, outputPath: String, failPath: String,
        procedure: Revising.AugmentationProcedure.Kind, mode: Revising.ChainMode,
        limit: Int? = nil, concurrency: Int = Self.usualConcurrency, retriesFailed: Bool = false
    ) {
        self.inputPath = inputPath
        self.outputPath = outputPath
        self.failPath = failPath
        self.procedure = procedure
        self.mode = mode
        self.limit = limit
        self.concurrency = concurrency
        self.retriesFailed = retriesFailed
    }

    /// Where the run remembers what it has: beside the chains.
    package var journalPath: String { outputPath + ".journal" }

    /// What makes two commands the same run: a limit, a pace or a place may change.
    package func identity(model: String) -> String {
        let parts: JSON = [
            .string(Self.canonical(inputPath)), .string(procedure.rawValue),
            .string(mode.rawValue), .string(model),
        ]
        return SHA256.hexadecimal(of: parts.bytes())
    }

    package func check() throws(AugmentationError) {
        guard (1...100_000).contains(concurrency) else {
            throw .badSetting(
                name: "--concurrency", value: "\(concurrency)", expected: "1 to 100000")
        }
        if let limit, limit < 0 {
            throw .badSetting(name: "--limit", value: "\(limit)", expected: "0 or more")
        }
        guard Set([inputPath, outputPath, failPath].map(Self.canonical)).count == 3 else {
            throw .badSetting(
                name: "--fail-path", value: failPath,
                expected: "three different files for input, output and failures")
        }
    }

    /// Refuses files that are not where they should be, before anything is made.
    package func checkFiles() throws(AugmentationError) {
        let files = FileManager.default
        guard files.isReadableFile(atPath: inputPath) else {
            throw .file(path: inputPath, reason: "there is no such file, or it cannot be read")
        }
        for path in [outputPath, failPath] {
            let folder = URL(filePath: path).deletingLastPathComponent().path
            guard files.isWritableFile(atPath: folder) else {
                throw .file(
                    path: path, reason: "the folder \(folder) is not there, or cannot be written")
            }
        }
    }

    /// One spelling for all the ways to name a file, whether it exists or not.
    static func canonical(_ path: String) -> String {
        let url = URL(filePath: path).standardizedFileURL
        if FileManager.default.fileExists(atPath: url.path) {
            return url.resolvingSymlinksInPath().path
        }
        return url.deletingLastPathComponent().resolvingSymlinksInPath()
            .appending(path: url.lastPathComponent).path
    }
}
