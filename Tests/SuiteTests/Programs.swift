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
        let process = Process()
        process.executableURL = path
        process.arguments = arguments
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
