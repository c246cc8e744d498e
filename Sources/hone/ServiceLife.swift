import Foundation
import Glibc
import ServiceKit

/// How it stands with a process that was started as a service of Hone.
enum ServiceLife: Equatable {
    case runs
    /// Killed, and not yet gone: its ports and files are still held.
    case ending
    /// No longer there, or another program by now.
    case gone

    /// Flag of a task that is being taken down, PF_EXITING of linux/sched.h.
    private static let exiting: UInt = 0x4

    init(of pid: Int32) {
        guard kill(pid, 0) == 0, let stat = Self.text(pid, "stat"),
            let name = Self.text(pid, "comm"), name.hasPrefix("hone-")
        else {
            self = .gone
            return
        }
        // proc(5): behind the name, which may hold anything, stand the state and, six further, flags.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 7, fields[1] != "Z", fields[1] != "X" else {
            self = .gone
            return
        }
        let isExiting = (UInt(fields[7]) ?? 0) & Self.exiting != 0
        self = isExiting || Self.isKilled(pid) ? .ending : .runs
    }

    /// Whether SIGKILL is on its way to a process.
    private static func isKilled(_ pid: Int32) -> Bool {
        let lines = text(pid, "status")?.split(separator: "\n") ?? []
        return lines.contains { line in
            guard line.hasPrefix("SigPnd:") || line.hasPrefix("ShdPnd:"),
                let mask = line.split(whereSeparator: \.isWhitespace).last
            else { return false }
            return (UInt64(mask, radix: 16) ?? 0) & (1 << UInt64(SIGKILL - 1)) != 0
        }
    }

    private static func text(_ pid: Int32, _ file: String) -> String? {
        try? String(contentsOfFile: "/proc/\(pid)/\(file)", encoding: .utf8)
    }
}

/// Keeps a second `hone up` or `hone down` of the same data directory waiting until the first is done.
struct DirectoryLock {
    private let handle: FileHandle

    /// - Parameter folder: exists.
    init(_ folder: String) throws {
        let path = folder + "/lock"
        let files = FileManager.default
        guard files.fileExists(atPath: path) || files.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forUpdatingAtPath: path)
        else {
            throw CommandFailure("\(folder) cannot be written; give another --data-directory")
        }
        self.handle = handle
        while flock(handle.fileDescriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw CommandFailure("\(path) cannot be locked; is it on this machine?")
            }
        }
    }

    func release() {
        flock(handle.fileDescriptor, LOCK_UN)
    }
}
