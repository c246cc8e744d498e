import ArgumentParser
import Foundation
import Glibc
import ServiceKit

/// A file read a piece at a time.
final class PiecewiseFile {
    private let path: String
    private let handle: FileHandle
    let byteCount: Int

    static let pieceBytes = 1 << 18

    init(path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CommandFailure("\(path) cannot be read; is there such a file?")
        }
        self.path = path
        self.handle = handle
        byteCount = Int(try handle.seekToEnd())
        try handle.seek(toOffset: 0)
    }

    /// The next bytes; empty at the end.
    func next() throws -> [UInt8] {
        [UInt8](try handle.read(upToCount: Self.pieceBytes) ?? Data())
    }

    func close() throws { try handle.close() }
}

/// Where a result goes: a file that appears whole or not at all, or standard output.
final class ResultFile {
    private let path: String?
    private let temporaryPath: String
    private let handle: FileHandle

    /// - Parameter path: nil writes to standard output.
    init(path: String?) throws {
        self.path = path
        temporaryPath = (path ?? "") + ".\(UUID().uuidString)"
        guard let path else {
            handle = .standardOutput
            return
        }
        guard FileManager.default.createFile(atPath: temporaryPath, contents: nil),
            let handle = FileHandle(forWritingAtPath: temporaryPath)
        else { throw CommandFailure("\(path) cannot be written; does its folder exist?") }
        self.handle = handle
    }

    deinit {
        if path != nil, FileManager.default.fileExists(atPath: temporaryPath) {
            // What could not be finished leaves nothing; where even that fails, a spare file stays.
            _ = try? FileManager.default.removeItem(atPath: temporaryPath)
        }
    }

    func write(_ bytes: [UInt8]) throws {
        do {
            try handle.write(contentsOf: Data(bytes))
        } catch {
            // A reader such as `head` has had enough: nothing went wrong.
            if path == nil, Self.isBrokenPipe(error) { throw ExitCode.success }
            throw CommandFailure(
                "\(path ?? "standard output") cannot be written: \(error.localizedDescription)")
        }
    }

    private static func isBrokenPipe(_ error: any Error) -> Bool {
        let known = error as NSError
        let cause = known.userInfo[NSUnderlyingErrorKey] as? NSError ?? known
        return cause.domain == NSPOSIXErrorDomain && cause.code == Int(EPIPE)
    }

    func finish() throws {
        guard let path else { return }
        try handle.synchronize()
        try handle.close()
        let files = FileManager.default
        if files.fileExists(atPath: path) {
            _ = try files.replaceItemAt(
                URL(filePath: path), withItemAt: URL(filePath: temporaryPath))
        } else {
            try files.moveItem(atPath: temporaryPath, toPath: path)
        }
    }
}
