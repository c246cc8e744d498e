internal import Glibc

/// A file read piece by piece, so that its size does not matter.
@safe public final class FileReader {
    private let path: String
    private let descriptor: Int32

    public init(path: String) throws(CorpusError) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw .file(path: path, call: "open", errno: errno) }
    }

    deinit { close(descriptor) }

    /// The next bytes, at most `count`; empty at the end of the file.
    public func read(upTo count: Int = 1 << 18) throws(CorpusError) -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                // The buffer holds `count` bytes, and the call writes no more.
                let read = unsafe Glibc.read(descriptor, buffer.baseAddress, count)
                if read < 0 { failure = errno }
                filled = max(0, read)
            }
            if failure == 0 { return bytes }
            if failure != EINTR { throw .file(path: path, call: "read", errno: failure) }
        }
    }

    /// Goes to `offset` bytes from the start.
    public func seek(to offset: Int) throws(CorpusError) {
        if lseek(descriptor, off_t(offset), SEEK_SET) < 0 {
            throw .file(path: path, call: "lseek", errno: errno)
        }
    }

    public func byteCount() throws(CorpusError) -> Int {
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 {
            throw .file(path: path, call: "fstat", errno: errno)
        }
        return Int(status.st_size)
    }

    /// The whole file, for files known to be small.
    public static func bytes(of path: String) throws(CorpusError) -> [UInt8] {
        let reader = try FileReader(path: path)
        var bytes: [UInt8] = []
        while true {
            let piece = try reader.read()
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }
}
