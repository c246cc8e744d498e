public import Wire

/// Names a job.
public struct JobReference: WireMessage {
    public static let wireName = "hone.jobs.JobReference"
    public var id = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "id", &id)
    }
}

/// Where a job stands now.
public struct JobState: WireMessage {
    public static let wireName = "hone.jobs.JobState"
    public var id = ""
    public var key = ""
    public var kind = ""
    public var status = JobStatus.unspecified
    public var createdAtMilliseconds = 0
    public var updatedAtMilliseconds = 0
    public var progress = 0
    public var total = 0
    public var message = ""
    public var result = ""
    public var error = ""
    public var sequence = 0
    public var unknownFields = UnknownFields()

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.keep(&unknownFields)
        coder.string(1, "id", &id)
        coder.string(2, "key", &key)
        coder.string(3, "kind", &kind)
        coder.enumeration(4, "status", &status)
        coder.uint(5, "createdAtMilliseconds", &createdAtMilliseconds)
        coder.uint(6, "updatedAtMilliseconds", &updatedAtMilliseconds)
        coder.uint(7, "progress", &progress)
        coder.uint(8, "total", &total)
        coder.string(9, "message", &message)
        coder.string(10, "result", &result)
        coder.string(11, "error", &error)
        coder.uint(12, "sequence", &sequence)
    }
}

/// Where a job's life can stand.
public enum JobStatus: WireEnum {
    case unspecified, queued, running, succeeded, failed, cancelled, paused
    case unknown(UInt64)
    public static let wireName = "hone.jobs.JobStatus"
    public static let known: [Self] = [
        .unspecified, .queued, .running, .succeeded, .failed, .cancelled, .paused,
    ]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// Asks for a job's events, those that were and those to come.
public struct WatchRequest: WireMessage {
    public static let wireName = "hone.jobs.WatchRequest"
    public var id = ""
    public var afterSequence = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "id", &id)
        coder.uint(2, "afterSequence", &afterSequence)
    }
}

/// One thing that happened to a job. Events are kept, so a watcher can come back.
public struct JobEvent: WireMessage {
    public static let wireName = "hone.jobs.JobEvent"
    public var sequence = 0
    public var atMilliseconds = 0
    public var kind = JobEventKind.unspecified
    public var status = JobStatus.unspecified
    public var progress = 0
    public var total = 0
    public var message = ""
    public var metrics: [String: Double] = [:]
    public var result = ""
    public var unknownFields = UnknownFields()

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.keep(&unknownFields)
        coder.uint(1, "sequence", &sequence)
        coder.uint(2, "atMilliseconds", &atMilliseconds)
        coder.enumeration(3, "kind", &kind)
        coder.enumeration(4, "status", &status)
        coder.uint(5, "progress", &progress)
        coder.uint(6, "total", &total)
        coder.string(7, "message", &message)
        coder.map(8, "metrics", &metrics)
        coder.string(9, "result", &result)
    }
}

/// What an event tells.
public enum JobEventKind: WireEnum {
    case unspecified, state, progress, metrics, log, result
    case unknown(UInt64)
    public static let wireName = "hone.jobs.JobEventKind"
    public static let known: [Self] = [.unspecified, .state, .progress, .metrics, .log, .result]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// Asks which jobs there are.
public struct JobQuery: WireMessage {
    public static let wireName = "hone.jobs.JobQuery"
    public var kind = ""
    public var status = JobStatus.unspecified
    public var limit = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "kind", &kind)
        coder.enumeration(2, "status", &status)
        coder.uint(3, "limit", &limit)
    }
}

/// Jobs, the newest first.
public struct JobList: WireMessage {
    public static let wireName = "hone.jobs.JobList"
    public var jobs: [JobState] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "jobs", &jobs)
    }
}
