internal import Glibc

/// A file that appears whole or not at all: written under another name, brought to the disk, renamed.
///
/// ```
///   init ──▶ write* ──▶ commit (fsync, rename, fsync of the folder)
///                  └──▶ dropped: the temporary file is removed
/// ```
@safe public final class AtomicFile {
    private let temporaryPath: String
    private var descriptor: Int32
    public private(set) var byteCount = 0

    /// - Parameter temporaryPath: where the bytes go at first; on the same file system as the place
    ///   they will have. A file left there by a crash is overwritten.
    public init(temporaryPath: String) throws(CorpusError) {
        self.temporaryPath = temporaryPath
        descriptor = unsafe open(
            temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644 as mode_t)
        if descriptor < 0 { throw .file(path: temporaryPath, call: "open", errno: errno) }
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            unsafe unlink(temporaryPath)
        }
    }

    public func write(_ bytes: [UInt8]) throws(CorpusError) {
        var written = 0
        while written < bytes.count {
            // `written` is below `count`, so the address and the length stay inside the array.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .file(path: temporaryPath, call: "write", errno: errno)
            }
            written += count
        }
        byteCount += bytes.count
    }

    /// Gives the file its name, once everything is on the disk. What was there before is replaced.
    public func commit(to path: String) throws(CorpusError) {
        if fsync(descriptor) != 0 {
            throw .file(path: temporaryPath, call: "fsync", errno: errno)
        }
        if unsafe rename(temporaryPath, path) != 0 {
            throw .file(path: path, call: "rename", errno: errno)
        }
        close(descriptor)
        descriptor = -1
        try Self.synchronize(folder: Self.folder(of: path))
    }

    public static func write(_ bytes: [UInt8], to path: String) throws(CorpusError) {
        let file = try AtomicFile(temporaryPath: path + ".\(getpid()).temporary")
        try file.write(bytes)
        try file.commit(to: path)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Brings a folder's entries to the disk: a rename lasts only when the folder is there too.
    public static func synchronize(folder: String) throws(CorpusError) {
        let descriptor = unsafe open(folder, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw .file(path: folder, call: "open", errno: errno) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw .file(path: folder, call: "fsync", errno: errno) }
    }
}
