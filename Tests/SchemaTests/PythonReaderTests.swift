import Foundation
import TestKit
import Testing

/// The reader in `proto/golden/read.py` knows the schema's text and the README, and no Swift.
struct PythonReaderTests {
    static let python: String? = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: python != nil, "python3 is not on this machine"))
    func `an independent reader finds the golden values in the golden bytes`() throws {
        let (status, output) = try Self.run(
            SharedData.repository.appending(path: "proto/golden/read.py").path)
        #expect(status == 0, "\(output)")
        #expect(output.contains("cases agree"))
    }

    private static func run(_ script: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = [script]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
