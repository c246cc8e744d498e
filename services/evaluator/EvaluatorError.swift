import Corpus
public import Judging
public import RPC

/// Why an evaluation cannot be made or counted.
enum EvaluatorError: Error, Sendable, Equatable, CustomStringConvertible {
    case journal(path: String, reason: String)
    case busy(path: String)
    case noField(name: String)
    case paths(option: String, found: Int, expected: String)
    case reviewsFailed(failed: Int, total: Int, reason: String)
    case judgeGone(failures: Int, reason: String)
    case artifact(hash: String, bytes: Int, limit: Int)
    case cutArtifact(hash: String, bytes: Int, found: Int)
    case notFinished(id: String, status: String)
    case unreadableResult(id: String)

    var description: String {
        switch self {
        case .journal(let path, let reason):
            "the journal \(path) cannot be used: \(reason); move it away to begin anew"
        case .busy(let path):
            "the journal \(path) is in use by another run; wait for it, or choose another output"
        case .noField(let name):
            "the request has no \(name); it is needed"
        case .paths(let option, let found, let expected):
            "\(option) was given \(found) files; give \(expected)"
        case .reviewsFailed(let failed, let total, let reason):
            "\(failed) of \(total) reviews failed, the last one so: \(reason);"
                + " ask again, and only these are asked for"
        case .judgeGone(let failures, let reason):
            "\(failures) reviews failed one after another, the last one so: \(reason);"
                + " the reviews made so far are kept"
        case .artifact(let hash, let bytes, let limit):
            "artifact \(hash) has \(bytes) bytes; at most \(limit) are read"
        case .cutArtifact(let hash, let bytes, let found):
            "artifact \(hash) has \(bytes) bytes, but \(found) came; ask again"
        case .notFinished(let id, let status):
            "job \(id) is \(status); its report is there once it has succeeded"
        case .unreadableResult(let id):
            "the result of job \(id) is no report"
        }
    }
}

extension EvaluatorError: StatusConvertible {
    var status: Status {
        switch self {
        case .noField, .paths, .artifact: Status(.invalidArgument, description)
        case .notFinished: Status(.failedPrecondition, description)
        case .busy, .reviewsFailed, .judgeGone, .cutArtifact: Status(.unavailable, description)
        case .journal, .unreadableResult: Status(.internal, description)
        }
    }
}

extension JudgingError: StatusConvertible {
    public var status: Status { Status(.invalidArgument, description) }
}
