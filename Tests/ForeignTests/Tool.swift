import Foundation
import TestKit

/// A program of others, run by a test.
enum Tool {
    static let python: String = {
        let named = ProcessInfo.processInfo.environment["HONE_VENV"]
        return (named ?? "/var/tmp/hone-venv") + "/bin/python"
    }()

    static var hasGRPC: Bool { exists(python) && (try? run(python, "-c", "import grpc")) != nil }

    static func exists(_ path: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: path)
    }

    static func script(_ name: String) -> String {
        SharedData.repository.appending(path: "Tests/Scripts/\(name)").path
    }

    struct Failure: Error, CustomStringConvertible {
        let program: String
        let status: Int32
        let output: String
        var description: String { "\(program) ended with \(status): \(output)" }
    }

    /// Runs a program to its end; its output as text. Ended by force after four minutes.
    @discardableResult
    static func run(_ program: String, _ arguments: String...) throws -> String {
        try run(program, arguments)
    }

    /// The same off the threads that tasks share, since it blocks.
    @discardableResult
    static func runAside(_ program: String, _ arguments: String...) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                continuation.resume(with: Result { try run(program, arguments) })
            }
            thread.start()
        }
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        process.arguments = ["240", program] + arguments
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: output, as: UTF8.self)
        guard process.terminationStatus == 0 else {
            throw Failure(program: program, status: process.terminationStatus, output: text)
        }
        return text
    }
}

/// A server of others that prints its port and ends when its input is closed.
final class ForeignServer {
    let port: Int
    private let process = Process()
    private let input = Pipe()

    convenience init(_ program: String, _ arguments: String...) throws {
        try self.init(program, arguments: arguments)
    }

    init(_ program: String, arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data([10]) {
            line += byte
        }
        guard let port = Int(String(decoding: line, as: UTF8.self)) else {
            throw Tool.Failure(program: program, status: 0, output: "no port")
        }
        self.port = port
    }

    func stop() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
