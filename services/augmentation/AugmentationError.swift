package import RPC

/// What the augmentation service refuses, or cannot do.
package enum AugmentationError: Error, Sendable, Equatable, CustomStringConvertible {
    case noTasks(path: String)
    case badTask(line: Int, reason: String)
    case badSetting(name: String, value: String, expected: String)
    case journalInUse(path: String)
    case journal(path: String, reason: String)
    case fileInUse(path: String)
    case fileChanged(path: String, offset: Int)
    case file(path: String, reason: String)
    case teacher(reason: String)
    case teacherDown(failures: Int, reason: String)
    case nothingMade(failed: Int)
    case noHeader(field: String)

    package var description: String {
        switch self {
        case .noTasks(let path): "\(path) holds no examples"
        case .badTask(let line, let reason): "line \(line) is no example: \(reason)"
        case .badSetting(let name, let value, let expected):
            "\(name) is \"\(value)\"; write \(expected)"
        case .journalInUse(let path):
            "\(path) is in use: the same command runs already; wait for it, or end it first"
        case .journal(let path, let reason):
            "the journal \(path) cannot be used (\(reason)); move it away to begin anew"
        case .fileInUse(let path):
            "\(path) is being written by another run; wait for it, or name another file"
        case .fileChanged(let path, let offset):
            "\(path) was changed at byte \(offset) since it was written; move it away, and the "
                + "same command writes it anew from the journal, without asking the teacher"
        case .file(let path, let reason): "\(path): \(reason)"
        case .teacher(let reason):
            "the teacher refuses every example: \(reason); then run the same command again, it goes "
                + "on where it stopped"
        case .teacherDown(let failures, let reason):
            "\(failures) examples in a row failed, the last one with \(reason); run the same command "
                + "with --retry-failed once the teacher answers"
        case .nothingMade(let failed): "none of the \(failed) examples became a chain"
        case .noHeader(let field): "the request has no \(field); give one"
        }
    }
}

extension AugmentationError: StatusConvertible {
    package var status: Status { Status(code, description) }

    private var code: Status.Code {
        switch self {
        case .noTasks, .badTask, .badSetting, .noHeader: .invalidArgument
        case .journalInUse, .fileInUse, .fileChanged: .failedPrecondition
        case .teacher, .nothingMade: .failedPrecondition
        case .teacherDown: .unavailable
        case .journal, .file: .internal
        }
    }
}
