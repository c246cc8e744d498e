// The file system's calls take C strings; the arguments are Swift strings, lent for the call.
import Glibc

/// The file that stands for a listening unix socket.
///
/// The socket is bound under a name of its own, gets its permissions, and only then its real name:
/// nobody can connect before the permissions are right, and a file left behind is replaced in one
/// step.
struct UnixSocketFile: Sendable {
    /// Linux holds 107 bytes; some are for the name of the time before.
    static let maximumPathBytes = 100

    /// The number of the error where nobody listens at a socket.
    static let refused = ECONNREFUSED

    enum Kind { case nothing, socket, other }

    /// A system call that failed.
    struct Failure: Error, CustomStringConvertible {
        let call: String
        let number: Int32

        var description: String { unsafe "\(call): \(String(cString: strerror(number)))" }
    }

    let path: String
    /// The file as it was published; a later one at its path is another server's.
    private var identity: Identity?

    private struct Identity: Equatable {
        let device: UInt
        let inode: UInt
    }

    init(path: String) {
        self.path = path
    }

    /// Where the socket is bound at first.
    var temporaryPath: String { path + "~\(UInt32(bitPattern: getpid()) % 100_000)" }

    /// What lies at the path.
    var kind: Kind {
        guard let information = Self.information(path) else { return .nothing }
        return information.st_mode & S_IFMT == S_IFSOCK ? .socket : .other
    }

    /// Removes what an earlier start that failed left at the temporary path.
    func clearTemporary() {
        _ = unsafe unlink(temporaryPath)
    }

    /// Gives the bound socket its permissions and its name.
    mutating func publish(mode: UInt16) throws(Failure) {
        guard unsafe chmod(temporaryPath, mode_t(mode)) == 0 else {
            throw Failure(call: "chmod", number: errno)
        }
        identity = Self.identity(temporaryPath)
        guard unsafe rename(temporaryPath, path) == 0 else {
            throw Failure(call: "rename", number: errno)
        }
    }

    /// Removes the file, unless another server has put its own there meanwhile.
    func remove() {
        guard let identity, Self.identity(path) == identity else { return }
        _ = unsafe unlink(path)
    }

    private static func information(_ path: String) -> stat? {
        var information = stat()
        return unsafe lstat(path, &information) == 0 ? information : nil
    }

    private static func identity(_ path: String) -> Identity? {
        information(path).map { Identity(device: UInt($0.st_dev), inode: UInt($0.st_ino)) }
    }
}
