import Foundation
import TestKit

/// The built executables.
enum Programs {
    struct Outcome {
        var status: Int32
        /// Standard output, then standard error.
        var text: String
    }

    static var hasHone: Bool { path != nil }

    static let path: URL? = {
        let files = FileManager.default
        let named = ProcessInfo.processInfo.environment["HONE_BIN"].map { URL(filePath: $0) }
        let folders = [
            named, SharedData.repository.appending(path: ".build/release"),
            SharedData.repository.appending(path: ".build/debug"),
        ]
        return folders.compactMap { $0?.appending(path: "hone") }
            .first { files.isExecutableFile(atPath: $0.path) }
    }()

    /// Runs `hone` to its end.
    static func hone(_ arguments: [String]) throws -> Outcome {
        guard let path else { throw CocoaError(.fileNoSuchFile) }
        return try run(path, arguments)
    }

    /// An executable beside `hone`.
    static func sibling(_ name: String) -> URL? {
        path?.deletingLastPathComponent().appending(path: name)
    }

    /// Where the Python packages are that foreign clients come from; nil where there are none.
    static let python: URL? = {
        let venv = ProcessInfo.processInfo.environment["HONE_VENV"] ?? "/var/tmp/hone-venv"
        let path = venv + "/bin/python"
        return FileManager.default.isExecutableFile(atPath: path) ? URL(filePath: path) : nil
    }()

    /// Runs a program to its end.
    static func run(
        _ program: URL, _ arguments: [String], in folder: URL? = nil,
        _ environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = folder }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: services that outlive the command keep what they inherit open.
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOf: file, encoding: .utf8)
        return Outcome(status: process.terminationStatus, text: text)
    }
}
