import Foundation
import Glibc

/// One of our executables at work, so that a test can end it in the middle; ends with this object.
public final class RunningExecutable {
    private let process: Process

    public init(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws {
        process = try Executable.make(name, arguments, environment: environment)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { end(SIGKILL) }
    }

    public var isRunning: Bool { process.isRunning }

    /// Waits until a file or folder appears, the program ends or a minute has passed.
    ///
    /// - Returns: whether it appeared.
    public func wait(for path: String) async throws -> Bool {
        let patience = ContinuousClock.now + .seconds(60)
        while !FileManager.default.fileExists(atPath: path) {
            guard process.isRunning, ContinuousClock.now < patience else { return false }
            try await Task.sleep(for: .milliseconds(1))
        }
        return true
    }

    /// Sends a signal, waits, and returns the exit status.
    @discardableResult
    public func end(_ signal: Int32) -> Int32 {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationStatus
    }
}
