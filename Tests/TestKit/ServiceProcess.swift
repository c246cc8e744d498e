import Foundation
import Glibc

/// One of our executables, built beside the tests.
public enum Executable {
    /// Where it lies, or nil if it was not built; `HONE_BIN` names another folder to look in first.
    public static func path(of name: String) -> String? {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let inTests = CommandLine.arguments.first.map { URL(filePath: $0) }
        let named = ProcessInfo.processInfo.environment["HONE_BIN"].map { URL(filePath: $0) }
        let beside = [own, inTests ?? own].map { $0.deletingLastPathComponent() }
        for folder in (named.map { [$0] } ?? []) + beside {
            let path = folder.appending(path: name).path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        return nil
    }

    public struct Output: Sendable {
        public var status: Int32
        public var text: String
        public var errors: String
    }

    /// Runs a program to its end.
    ///
    /// - Parameter name: one of ours, or a path.
    public static func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Output {
        let process = try make(name, arguments, environment: environment)
        let folder = try TemporaryFolder()
        let text = try file(folder.path + "/out")
        let errors = try file(folder.path + "/err")
        process.standardOutput = text
        process.standardError = errors
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        return Output(
            status: process.terminationStatus,
            text: try String(contentsOfFile: folder.path + "/out", encoding: .utf8),
            errors: try String(contentsOfFile: folder.path + "/err", encoding: .utf8))
    }

    static func make(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Process {
        guard let path = name.hasPrefix("/") ? name : path(of: name) else {
            throw NotThere(name: name)
        }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        return process
    }

    private static func file(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    public struct NotThere: Error, CustomStringConvertible {
        public let name: String
        public var description: String { "\(name) was not built beside the tests" }
    }
}

/// A folder that goes with this object.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        path =
            FileManager.default.temporaryDirectory.appending(path: "hone-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("could not remove \(path): \(error)")
        }
    }

    /// Writes a file in the folder, and returns its path.
    @discardableResult
    public func write(_ text: String, _ name: String) throws -> String {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
        return path + "/" + name
    }

    public func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name)))
    }

    public func text(_ name: String) throws -> String {
        String(decoding: try bytes(name), as: UTF8.self)
    }
}

/// One of our services as a process of its own, ready; ends with this object.
public final class ServiceProcess {
    private let process: Process
    /// `127.0.0.1:PORT`, from the ready file.
    public let address: String

    private struct Ready: Decodable { var address: String }

    /// - Parameters:
    ///   - folder: keeps the service's state, so that a second process can go on with it.
    ///   - arguments: beside `serve` and the flags every service has.
    public init(
        _ name: String, in folder: TemporaryFolder, _ arguments: [String] = [],
        environment: [String: String] = [:]
    ) async throws {
        let ready = folder.path + "/ready-\(UUID().uuidString).json"
        process = try Executable.make(
            name,
            [
                "serve", "--listen", "127.0.0.1:0", "--data-directory", folder.path + "/" + name,
                "--ready-file", ready, "--log-level", "error",
            ] + arguments, environment: environment)
        try process.run()
        let patience = ContinuousClock.now + .seconds(90)
        while !FileManager.default.fileExists(atPath: ready) {
            guard process.isRunning, ContinuousClock.now < patience else {
                throw NotReady(name: name)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        let bytes = try Data(contentsOf: URL(filePath: ready))
        address = try JSONDecoder().decode(Ready.self, from: bytes).address
    }

    deinit {
        if process.isRunning { end(SIGKILL) }
    }

    /// Sends a signal, SIGTERM unless another is named; waits, and returns the exit status.
    @discardableResult
    public func end(_ signal: Int32? = nil) -> Int32 {
        kill(process.processIdentifier, signal ?? SIGTERM)
        process.waitUntilExit()
        return process.terminationStatus
    }

    public struct NotReady: Error, CustomStringConvertible {
        public let name: String
        public var description: String { "\(name) did not begin to serve" }
    }
}
