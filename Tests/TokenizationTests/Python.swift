import Foundation

/// The Python environment with the libraries that results are compared with.
enum Python {
    private static let executable: String =
        (ProcessInfo.processInfo.environment["HONE_VENV"] ?? "/var/tmp/hone-venv") + "/bin/python3"

    static func has(_ package: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: executable)
            && (try? run("import \(package)", arguments: [])) != nil
    }

    /// Runs a script and gives what it printed.
    static func run(_ script: String, arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = ["-c", script] + arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = try errors.fileHandleForReading.readToEnd() ?? Data()
            throw Failure(text: String(decoding: text, as: UTF8.self))
        }
        return String(decoding: printed, as: UTF8.self)
    }

    struct Failure: Error {
        var text: String
    }
}

/// A folder that vanishes with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "hone-tokenization-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
