/// When a server that fails more often than the others gets no calls for a while.
///
/// What counts as failed is a call that ended as `unavailable`, `deadlineExceeded`, `internal`,
/// `unknown` or `dataLoss`, or with its connection: these are the server's doing, while other codes
/// are answers. A server alone, or all of them, are never left without calls.
///
/// - Source: gRPC, proposal A50, with its defaults.
public struct OutlierDetection: Sendable {
    /// How often servers are compared.
    public var interval: Duration = .seconds(10)
    /// How long a server is left out the first time; the n-th time in a row, n times as long.
    public var baseEjectionTime: Duration = .seconds(30)
    /// The longest time a server is left out.
    public var maximumEjectionTime: Duration = .seconds(300)
    /// How many of the servers may be left out at a time, in percent; one always may.
    public var maximumEjectionPercent: Int = 10
    /// Nil does not compare success rates.
    public var successRate: SuccessRate? = SuccessRate()
    /// Nil does not look at the part that failed.
    public var failurePercentage: FailurePercentage? = FailurePercentage()

    /// Leaves out whose success rate is far below the mean.
    public struct SuccessRate: Sendable {
        /// How many standard deviations below the mean is too far.
        public var deviations: Double = 1.9
        /// How many servers must have had enough calls.
        public var leastServers: Int = 5
        /// How many calls of an interval are enough.
        public var leastCalls: Int = 100

        public init() {}
    }

    /// Leaves out whose calls fail nearly all.
    public struct FailurePercentage: Sendable {
        /// How many of a hundred calls may fail.
        public var threshold: Int = 85
        /// How many servers must have had enough calls.
        public var leastServers: Int = 5
        /// How many calls of an interval are enough.
        public var leastCalls: Int = 50

        public init() {}
    }

    public init() {}
}

/// What a sweep knows of a server, and what it decides.
package struct OutlierRecord: Sendable {
    /// Of the interval that ends.
    package var successes = 0
    package var failures = 0
    package var ejectedAt: ContinuousClock.Instant?
    /// How often it was left out, less the intervals it was well since.
    package var timesEjected = 0

    package init() {}

    fileprivate var calls: Int { successes + failures }
    fileprivate var successRate: Double { Double(successes) / Double(max(calls, 1)) }
}

extension OutlierDetection {
    /// Ends an interval: decides who is left out and who returns.
    package func sweep(_ records: inout [OutlierRecord], at now: ContinuousClock.Instant) {
        if let successRate { compare(successRate, &records, now) }
        if let failurePercentage { check(failurePercentage, &records, now) }
        for index in records.indices {
            guard let ejectedAt = records[index].ejectedAt else {
                records[index].timesEjected = max(0, records[index].timesEjected - 1)
                continue
            }
            let time = min(
                baseEjectionTime * records[index].timesEjected,
                max(baseEjectionTime, maximumEjectionTime))
            if now - ejectedAt >= time { records[index].ejectedAt = nil }
        }
    }

    private func compare(
        _ rule: SuccessRate, _ records: inout [OutlierRecord], _ now: ContinuousClock.Instant
    ) {
        let known = records.indices.filter { records[$0].calls >= max(rule.leastCalls, 1) }
        guard known.count >= rule.leastServers, !known.isEmpty else { return }
        let rates = known.map { records[$0].successRate }
        let mean = rates.reduce(0, +) / Double(rates.count)
        let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
        let threshold = mean - rule.deviations * variance.squareRoot()
        for (index, rate) in zip(known, rates) where rate < threshold {
            eject(index, &records, now)
        }
    }

    private func check(
        _ rule: FailurePercentage, _ records: inout [OutlierRecord], _ now: ContinuousClock.Instant
    ) {
        let known = records.indices.filter { records[$0].calls >= max(rule.leastCalls, 1) }
        guard known.count >= rule.leastServers else { return }
        for index in known
        where records[index].failures * 100 > rule.threshold * records[index].calls {
            eject(index, &records, now)
        }
    }

    private func eject(
        _ index: Int, _ records: inout [OutlierRecord], _ now: ContinuousClock.Instant
    ) {
        guard records[index].ejectedAt == nil else { return }
        let ejected = records.count { $0.ejectedAt != nil }
        guard ejected == 0 || ejected * 100 < maximumEjectionPercent * records.count else { return }
        records[index].ejectedAt = now
        records[index].timesEjected += 1
    }
}

/// When a single server gets no calls for a while, whatever the others do, and how many it gets at
/// a time.
///
/// ```
/// closed ──failures in a row──▶ open ──openTime──▶ half-open ──one call──▶ open
///    ▲                           └──────a success, of that call or another──────┐
///    └──────────────────────────────────────────────────────────────────────────┘
/// ```
/// Where every server's circuit is open, all of them get calls as if none were.
public struct CircuitBreaker: Sendable {
    /// How many failures in a row open the circuit, counted as ``OutlierDetection`` does; nil
    /// never opens it.
    public var failuresInRow: Int? = 10
    /// How long until a single call shows how the server fares; checked every second.
    public var openTime: Duration = .seconds(5)
    /// How many calls a server may have open. Further ones go to others, or wait as long as
    /// ``ClientConfiguration/maximumWaitingCalls`` allows; nil sets no limit but the servers' own.
    public var maximumCalls: Int?

    public init() {}
}
