import Synchronization

/// The policies of a client, made ready once: a call finds its own by one or two lookups, and by
/// none where all calls have the same.
struct PolicyTable: Sendable {
    private let methods: [String: Policy]
    private let services: [String: Policy]
    private let others: Policy
    private let isSame: Bool

    /// A policy as calls use it.
    final class Policy: Sendable {
        let timeout: Duration?
        let waitForReady: Bool
        let retry: RetryPolicy?
        let hedging: HedgingPolicy?
        /// How long answers took, by method; filled for hedging by percentile alone.
        let latencies = Mutex<[String: LatencyHistogram]>([:])

        init(_ policy: CallPolicy) {
            timeout = policy.timeout
            waitForReady = policy.waitForReady
            switch policy.repetition {
            case .none:
                retry = nil
                hedging = nil
            case .retry(var policy):
                policy.attempts = Self.bounded(policy.attempts)
                retry = policy.attempts > 1 ? policy : nil
                hedging = nil
            case .hedge(var policy):
                policy.attempts = Self.bounded(policy.attempts)
                retry = nil
                hedging = policy.attempts > 1 ? policy : nil
            }
        }

        private static func bounded(_ attempts: Int) -> Int {
            min(max(attempts, 1), RetryPolicy.mostAttempts)
        }
    }

    init(_ configuration: ClientConfiguration) {
        let policies = configuration.policies
        methods = policies.methods.mapValues(Policy.init)
        services = policies.services.mapValues(Policy.init)
        others = Policy(
            policies.others
                ?? CallPolicy(
                    repetition: .retry(
                        RetryPolicy(
                            attempts: configuration.maximumAttempts,
                            backoff: configuration.backoff))))
        isSame = methods.isEmpty && services.isEmpty
    }

    func policy(path: String, service: String) -> Policy {
        if isSame { return others }
        return methods[path] ?? services[service] ?? others
    }
}

/// How long the recent answers of a method took, in steps of a quarter of an octave.
///
/// Counts are halved every 1000 answers, so that what was long ago weighs little.
package struct LatencyHistogram: Sendable {
    private var counts = [UInt32](repeating: 0, count: 160)
    private var total: UInt32 = 0

    package init() {}

    /// How many answers must be known before a percentile is told.
    package static let least = 20

    package mutating func note(_ duration: Duration) {
        counts[Self.index(duration)] += 1
        total += 1
        guard total >= 1000 else { return }
        total = 0
        for index in counts.indices {
            counts[index] /= 2
            total += counts[index]
        }
    }

    /// What `share` of the answers took less than, rounded up to the next step; nil of too few.
    package func percentile(_ share: Double) -> Duration? {
        guard total >= Self.least else { return nil }
        let rank = UInt32((Double(total) * share).rounded(.up))
        var sum: UInt32 = 0
        for (index, count) in counts.enumerated() {
            sum += count
            if sum >= rank { return Self.upperEnd(index) }
        }
        return nil
    }

    private static func microseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        let bounded = UInt64(min(max(seconds, 0), 1_000_000))
        return bounded * 1_000_000 + UInt64(max(attoseconds, 0)) / 1_000_000_000_000
    }

    /// The octave of the microseconds, and the two bits after its leading one.
    private static func index(_ duration: Duration) -> Int {
        let value = max(microseconds(duration), 4)
        let octave = 63 - value.leadingZeroBitCount
        return octave * 4 + Int((value >> UInt64(octave - 2)) & 3)
    }

    private static func upperEnd(_ index: Int) -> Duration {
        let octave = index / 4
        let quarter = Int64(4 + index % 4 + 1)
        return .microseconds(octave < 2 ? 4 : quarter << Int64(octave - 2))
    }
}
