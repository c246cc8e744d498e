// FileHandle is not in FoundationEssentials.
import Foundation
import Glibc
import Synchronization

/// A file that only grows; what is written to it is known to the journal first.
final class AppendFile: Sendable {
    let path: String
    private let handle: FileHandle
    private let bytes: Mutex<Int>

    var size: Int { bytes.withLock { $0 } }

    init(path: String) throws(AugmentationError) {
        self.path = path
        do {
            let files = FileManager.default
            if !files.fileExists(atPath: path), !files.createFile(atPath: path, contents: nil) {
                throw AugmentationError.file(path: path, reason: "cannot be made")
            }
            handle = try FileHandle(forUpdating: URL(filePath: path))
            // The system releases the lock when the process ends, however it ends.
            guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw AugmentationError.fileInUse(path: path)
            }
            bytes = Mutex(Int(try handle.seekToEnd()))
        } catch let error as AugmentationError {
            throw error
        } catch {
            throw .file(path: path, reason: "\(error)")
        }
    }

    func append(_ bytes: [UInt8]) throws(AugmentationError) {
        guard !bytes.isEmpty else { return }
        try perform { try handle.write(contentsOf: Data(bytes)) }
        self.bytes.withLock { $0 += bytes.count }
    }

    func read(_ range: Range<Int>) throws(AugmentationError) -> [UInt8] {
        try perform {
            try handle.seek(toOffset: UInt64(range.lowerBound))
            defer { handle.seekToEndOfFile() }
            return [UInt8](try handle.read(upToCount: range.count) ?? Data())
        }
    }

    func truncate(to size: Int) throws(AugmentationError) {
        try perform { try handle.truncate(atOffset: UInt64(size)) }
        bytes.withLock { $0 = size }
    }

    func synchronize() throws(AugmentationError) {
        try perform { try handle.synchronize() }
    }

    func close() throws(AugmentationError) {
        try perform { try handle.close() }
    }

    private func perform<Value>(_ body: () throws -> Value) throws(AugmentationError) -> Value {
        do {
            return try body()
        } catch {
            throw .file(path: path, reason: "\(error)")
        }
    }
}
