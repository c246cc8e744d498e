/// How much a server matters to a caller when there is more to do than it can.
public enum CallPriority: Int, Sendable, Comparable {
    /// Refused first: above ``LoadLimits/sheddableShare`` of the limit, and never queued.
    case sheddable
    case normal
    /// Always taken and never counted, such as a health check.
    case critical

    public static func < (a: CallPriority, b: CallPriority) -> Bool { a.rawValue < b.rawValue }
}

/// How many calls a server answers at a time, and whom it refuses beyond.
///
/// A refused call ends with `resourceExhausted` and `grpc-retry-pushback-ms`, before its handler
/// has begun.
public struct LoadLimits: Sendable {
    /// How many calls may be answered at a time, critical ones aside; nil any number.
    public var maximumConcurrentCalls: Int?
    /// Finds a lower limit by how long handlers take; nil keeps to `maximumConcurrentCalls`.
    public var adaptive: AdaptiveLimit?
    /// How many calls may wait for one of those to end. A call whose deadline would pass first is
    /// refused at once.
    public var maximumQueuedCalls: Int = 0
    /// How much of the limit sheddable calls may take, from 0 to 1.
    public var sheddableShare: Double = 0.75
    /// The priorities of methods by path, "/hone.Data/Import", or of services by name,
    /// "hone.Data"; normal where neither is named. A caller may ask for less with the metadata
    /// `hone-priority: sheddable`, but not for more.
    public var priorities: [String: CallPriority] = LoadLimits.criticalServices

    /// What must answer however busy the server is: how operators see that it is.
    public static let criticalServices: [String: CallPriority] = [
        "grpc.health.v1.Health": .critical, "hone.Admin": .critical,
    ]

    public init() {}

    var isLimited: Bool { maximumConcurrentCalls != nil || adaptive != nil }

    func priority(of route: Route) -> CallPriority {
        priorities[route.path] ?? priorities[route.service] ?? .normal
    }
}

/// A limit that falls while calls take longer than they do without load, and grows while they
/// do not.
///
/// Every `samplesPerStep` calls of one answer each, with `ratio` the mean of their time over their
/// method's own time without load:
/// ```
/// gradient = clamp(tolerance / ratio, 0.5, 1)
/// limit   += smoothing × (limit × gradient + √limit − limit)
/// ```
/// - Source: Netflix, "Performance Under Load" (2018), the gradient form; the time without load
///   follows TCP Vegas (Brakmo and Peterson 1995) in being that of the quick calls.
public struct AdaptiveLimit: Sendable, Equatable {
    public var initial: Int = 64
    public var minimum: Int = 8
    public var maximum: Int = 4096
    /// How many times its time without load a call may take before the limit falls.
    public var tolerance: Double = 2
    /// How far each step goes, from 0 to 1.
    public var smoothing: Double = 0.2
    public var samplesPerStep: Int = 16

    public init() {}
}
