import Synchronization

/// One way to fail, as a test of a caller needs it.
struct Failure: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        case tooMany = "429"
        case serverError = "500"
        case slow, cut
    }

    var kind: Kind
    /// Seconds to wait for `tooMany`, milliseconds of delay for `slow`; nil for the usual.
    var amount: Double?

    init(_ kind: Kind, amount: Double? = nil) {
        self.kind = kind
        self.amount = amount
    }

    /// Reads the value of the header `x-tutor-fail`: a kind, then an amount: `429 0.2`, `slow 300`.
    init?(header: String) {
        let words = header.split(separator: " ")
        guard let first = words.first, words.count <= 2, let kind = Kind(rawValue: String(first))
        else { return nil }
        var amount: Double?
        if words.count == 2 {
            guard let value = Double(words[1]), (0...600_000).contains(value) else { return nil }
            amount = value
        }
        self.init(kind, amount: amount)
    }
}

/// Decides which requests fail, and counts what was asked and answered.
final class FailurePlan: Sendable {
    struct Settings: Sendable {
        /// Every n-th request fails so.
        var every: [Failure.Kind: Int] = [:]
        var retryAfterSeconds = 1.0
        var slowMilliseconds = 1_000
        /// Whether a hash of every answered request is kept.
        var countsRepeats = false

        init() {}
    }

    /// What the tutor has done since it began.
    struct Statistics: Sendable, Equatable {
        var requests = 0
        /// Replies sent whole.
        var replies = 0
        /// Replies to a request that had had one before; counted on demand only.
        var repeats = 0
        var failures: [String: Int] = [:]
        /// Replies by part: answer, critique, revision, judgement.
        var parts: [String: Int] = [:]
    }

    private struct State {
        var statistics = Statistics()
        var answered: Set<Int> = []
    }

    let settings: Settings
    private let state = Mutex(State())

    init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    /// The failure a request meets, if any: what it asks for itself, else its turn.
    func failure(asked: Failure?) -> Failure? {
        state.withLock { state in
            state.statistics.requests += 1
            let turn = state.statistics.requests
            let due =
                asked
                ?? Failure.Kind.allCases.first { kind in
                    settings.every[kind].map { turn % $0 == 0 } ?? false
                }.map { Failure($0) }
            if let due { state.statistics.failures[due.kind.rawValue, default: 0] += 1 }
            return due
        }
    }

    /// Counts a reply that was sent whole.
    func count(_ part: String, request: [UInt8]) {
        let hash = settings.countsRepeats ? request.hashValue : nil
        state.withLock { state in
            state.statistics.replies += 1
            state.statistics.parts[part, default: 0] += 1
            if let hash, !state.answered.insert(hash).inserted { state.statistics.repeats += 1 }
        }
    }

    var statistics: Statistics { state.withLock(\.statistics) }
}
