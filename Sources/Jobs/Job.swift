/// Where a job stands.
///
/// ```
/// queued ──▶ running ──▶ succeeded
///   ▲  │        │  ├───▶ failed ────┐
///   │  └────────┼──┴───▶ cancelled ─┤
///   └───────────┴─ restart, retry ──┘
/// ```
public enum JobStatus: String, Sendable, CaseIterable {
    case queued, running, succeeded, failed, cancelled

    /// Whether nothing more happens unless somebody asks for a retry.
    public var isFinal: Bool { self == .succeeded || self == .failed || self == .cancelled }
}

/// A long piece of work, as its table remembers it.
public struct Job: Sendable, Equatable {
    public var id: String
    /// Two starts with one key and one kind are one job; empty where the caller gave none.
    public var key: String
    public var kind: String
    /// What the runner of the kind was asked for, in the bytes of that kind.
    public var input: [UInt8]
    public var status: JobStatus
    public var createdAtMilliseconds: Int64
    public var updatedAtMilliseconds: Int64
    public var progress: Int
    public var total: Int
    public var message: String
    /// What the runner returned, JSON; empty until the job succeeded.
    public var result: String
    /// Why it failed, for a person; empty otherwise.
    public var error: String
    /// How often it was begun, restarts included.
    public var attempts: Int
    /// The sequence number of its newest event.
    public var sequence: Int
}

/// One thing that happened to a job.
public struct JobEvent: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case state, progress, metrics, log, result
    }

    /// 1, 2, 3 … within the job.
    public var sequence: Int
    public var atMilliseconds: Int64
    public var kind: Kind
    public var status: JobStatus
    public var progress: Int
    public var total: Int
    public var message: String
    public var metrics: [String: Double]
    public var result: String
}

/// What a table holds at most, and how much of it runs at once.
public struct JobLimits: Sendable {
    /// Jobs that run at the same time.
    public var concurrentJobs = 4
    /// Jobs queued or running; a further start is refused.
    public var openJobs = 10_000
    /// Finished jobs that are remembered; the oldest go first, when the table opens.
    public var finishedJobs = 10_000
    public var inputBytes = 64 << 20
    /// One saved state.
    public var stateBytes = 64 << 20
    /// Events kept of one job; older ones are forgotten.
    public var eventsPerJob = 100_000
    /// Events that wait to be written; while there are more, new log and metrics events are counted
    /// instead of kept.
    public var waitingEvents = 16_384
    /// A job begun this often and never ended is taken to bring the process down.
    public var attempts = 100

    public init() {}
}
