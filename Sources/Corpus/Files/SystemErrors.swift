internal import Glibc

/// The names of `errno` values people meet.
enum SystemErrors {
    static func text(of code: Int32) -> String {
        switch code {
        case ENOENT: "no such file or directory"
        case EACCES: "permission denied"
        case EISDIR: "is a directory"
        case ENOTDIR: "a part of the path is no directory"
        case ENOSPC: "no space left"
        case EMFILE: "too many open files"
        case EEXIST: "exists already"
        case EROFS: "read-only file system"
        case EIO: "input/output error"
        default: "see errno(3)"
        }
    }
}
