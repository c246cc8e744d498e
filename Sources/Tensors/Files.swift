internal import FoundationEssentials
internal import Glibc

/// A file in memory, read page by page as it is touched.
@safe public final class MappedFile: Sendable {
    public let path: String
    public let count: Int
    /// Unchanging: the mapping is private and read-only.
    private nonisolated let start: SendablePointer

    @safe private struct SendablePointer: @unchecked Sendable {
        let pointer: UnsafeRawPointer?
    }

    public init(path: String) throws(TensorsError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last("fstat", path) }
        self.path = path
        count = Int(status.st_size)
        guard count > 0 else {
            unsafe start = SendablePointer(pointer: nil)
            return
        }
        let memory = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            throw .last("mmap", path)
        }
        unsafe start = SendablePointer(pointer: UnsafeRawPointer(memory))
    }

    deinit {
        if let pointer = unsafe start.pointer {
            unsafe munmap(UnsafeMutableRawPointer(mutating: pointer), count)
        }
    }

    public func bytes(_ range: Range<Int>) throws(TensorsError) -> [UInt8] {
        let pointer = try unsafe pointer(range.lowerBound, range.count)
        return unsafe Array(UnsafeRawBufferPointer(start: pointer, count: range.count))
    }

    /// Fills a tensor with the numbers at `offset`.
    public func read(_ type: ElementType, at offset: Int, into tensor: Tensor) throws(TensorsError)
    {
        let memory = try unsafe pointer(offset, tensor.count * type.bytes)
        guard let memory = unsafe memory else { return }
        unsafe tensor.read(type, from: memory)
    }

    @unsafe private func pointer(
        _ offset: Int, _ length: Int
    ) throws(TensorsError) -> UnsafeRawPointer? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else {
            throw .outside(path: path, offset: offset, count: length, fileBytes: count)
        }
        return unsafe start.pointer.map { unsafe $0 + offset }
    }
}

/// A new file that is on the disk once ``close()`` has returned.
public final class DurableFile {
    public let path: String
    private var descriptor: Int32

    public init(path: String) throws(TensorsError) {
        self.path = path
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .last("open", path) }
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    public func write(_ bytes: [UInt8]) throws(TensorsError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                guard let first = buffer.baseAddress else { return 0 }
                return unsafe Glibc.write(descriptor, first + done, bytes.count - done)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw .last("write", path) }
            done += written
        }
    }

    /// Writes all values of a tensor.
    public func write(_ tensor: Tensor, as type: ElementType) throws(TensorsError) {
        let piece = 1 << 18
        for start in stride(from: 0, to: tensor.count, by: piece) {
            try write(tensor.bytes(type, of: start..<min(tensor.count, start + piece)))
        }
    }

    public func close() throws(TensorsError) {
        guard fsync(descriptor) == 0 else { throw .last("fsync", path) }
        let code = Glibc.close(descriptor)
        descriptor = -1
        guard code == 0 else { throw .last("close", path) }
    }
}

/// Puts folders in their place so that a crash leaves no partly written one under its name.
public enum DurableFolder {
    /// Fills a hidden folder beside `path`, then makes it `path`; an older one goes away.
    public static func replace(
        _ path: String, _ fill: (_ temporary: String) throws -> Void
    ) throws {
        let (parent, name) = split(path)
        let temporary = "\(parent)/.\(name).new"
        try remove(temporary)
        try FileManager.default.createDirectory(
            atPath: temporary, withIntermediateDirectories: true)
        do {
            try fill(temporary)
            try synchronize(temporary)
            try remove(path)
            guard unsafe rename(temporary, path) == 0 else {
                throw TensorsError.last("rename", path)
            }
        } catch {
            try remove(temporary)
            throw error
        }
        try synchronize(parent)
    }

    /// Removes a folder and all in it; none is as good.
    public static func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        // Renamed first: what is half removed must not look whole.
        let (parent, name) = split(path)
        let doomed = "\(parent)/.\(name).old"
        if FileManager.default.fileExists(atPath: doomed) {
            try FileManager.default.removeItem(atPath: doomed)
        }
        guard unsafe rename(path, doomed) == 0 else { throw TensorsError.last("rename", path) }
        try FileManager.default.removeItem(atPath: doomed)
    }

    private static func synchronize(_ folder: String) throws(TensorsError) {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last("fsync", folder) }
    }

    private static func split(_ path: String) -> (parent: String, name: String) {
        var path = Substring(path)
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        guard let slash = path.lastIndex(of: "/") else { return (".", String(path)) }
        let parent = slash == path.startIndex ? "/" : String(path[..<slash])
        return (parent, String(path[path.index(after: slash)...]))
    }
}

extension TensorsError {
    static func last(_ call: String, _ path: String) -> TensorsError {
        let code = errno
        return .system(
            call: call, path: path, code: code, message: unsafe String(cString: strerror(code)))
    }
}
