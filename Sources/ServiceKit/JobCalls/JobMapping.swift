public import Jobs
public import RPC
public import Schema

// Jobs ↔ Schema. Both modules speak of the same things; only this file knows both.

extension Schema.JobStatus {
    init(_ status: Jobs.JobStatus) {
        self =
            switch status {
            case .queued: .queued
            case .running: .running
            case .succeeded: .succeeded
            case .failed: .failed
            case .cancelled: .cancelled
            }
    }

    /// The table's word for it; nil where the table has none.
    var tableStatus: Jobs.JobStatus? {
        switch self {
        case .queued: .queued
        case .running: .running
        case .succeeded: .succeeded
        case .failed: .failed
        case .cancelled: .cancelled
        case .unspecified, .paused, .unknown: nil
        }
    }

    /// Whether a job of this status does nothing more by itself.
    public var isFinal: Bool { self == .succeeded || self == .failed || self == .cancelled }
}

extension Schema.JobState {
    public init(_ job: Job) {
        self.init()
        id = job.id
        key = job.key
        kind = job.kind
        status = JobStatus(job.status)
        createdAtMilliseconds = Int(job.createdAtMilliseconds)
        updatedAtMilliseconds = Int(job.updatedAtMilliseconds)
        progress = job.progress
        total = job.total
        message = job.message
        result = job.result
        error = job.error
        sequence = job.sequence
    }
}

extension Schema.JobEvent {
    public init(_ event: Jobs.JobEvent) {
        self.init()
        sequence = event.sequence
        atMilliseconds = Int(event.atMilliseconds)
        kind =
            switch event.kind {
            case .state: .state
            case .progress: .progress
            case .metrics: .metrics
            case .log: .log
            case .result: .result
            }
        status = JobStatus(event.status)
        progress = event.progress
        total = event.total
        message = event.message
        metrics = event.metrics
        result = event.result
    }
}

extension JobError: StatusConvertible {
    public var status: Status {
        switch self {
        case .notFound: Status(.notFound, description)
        case .unknownKind: Status(.unimplemented, description)
        case .tooManyOpen: Status(.resourceExhausted, description)
        case .tooLarge: Status(.invalidArgument, description)
        case .finished, .stillOpen: Status(.failedPrecondition, description)
        case .inUse: Status(.unavailable, description)
        case .storage: Status(.internal, "the job table cannot be read or written")
        }
    }
}
