/// What can be wrong with a request to the job table, or with its file.
public enum JobError: Error, Sendable, Equatable, CustomStringConvertible {
    case notFound(id: String)
    case unknownKind(kind: String, known: [String])
    case tooManyOpen(limit: Int)
    case tooLarge(what: String, bytes: Int, limit: Int)
    case finished(id: String, status: JobStatus)
    case stillOpen(id: String, status: JobStatus)
    case inUse(path: String)
    case storage(path: String, reason: String)

    public var description: String {
        switch self {
        case .notFound(let id):
            "there is no job \"\(id)\"; list the jobs to see those that exist"
        case .unknownKind(let kind, let known):
            "no runner for jobs of kind \"\(kind)\"; this service runs \(known.sorted())"
        case .tooManyOpen(let limit):
            "\(limit) jobs are queued or running, which is the limit; wait or cancel some"
        case .tooLarge(let what, let bytes, let limit):
            "\(what) has \(bytes) bytes, the limit is \(limit)"
        case .finished(let id, let status):
            "job \"\(id)\" has \(status.rawValue); retry it or start another"
        case .stillOpen(let id, let status):
            "job \"\(id)\" is \(status.rawValue); only a failed or cancelled job can be retried"
        case .inUse(let path):
            "\(path) is in use by another process; stop it or choose another data directory"
        case .storage(let path, let reason):
            "\(path) cannot be read or written: \(reason)"
        }
    }
}
