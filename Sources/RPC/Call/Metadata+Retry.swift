/// What a service asks of a caller that would try again.
public enum RetryPushback: Sendable, Equatable {
    /// The next attempt shall come after so long, not before.
    case after(Duration)
    /// No attempt shall follow.
    case never
}

extension Metadata {
    private static let previousAttemptsName = "grpc-previous-rpc-attempts"
    private static let pushbackName = "grpc-retry-pushback-ms"
    /// Travels with every call that is made on behalf of a repetition, however many services lie
    /// between.
    private static let repetitionName = "hone-repetition"

    /// The longest pause that a service may ask for, in milliseconds: a day.
    private static let longestPushback: Int64 = 86_400_000

    /// How many attempts preceded this one, as the caller says; 0 where that is no number.
    public var previousAttempts: Int {
        max(0, self[Self.previousAttemptsName].flatMap { Int($0) } ?? 0)
    }

    /// Whether the call, or one that it serves, was tried before.
    package var isRepetition: Bool {
        !isEmpty && (self[Self.repetitionName] != nil || previousAttempts > 0)
    }

    /// What the service asked for beside a failure; nil of none. What cannot be read, or is there
    /// more than once, means never.
    public var retryPushback: RetryPushback? {
        let texts = values(of: Self.pushbackName)
        guard let text = texts.first else { return nil }
        guard texts.count == 1, let number = Int64(text), (0...Self.longestPushback) ~= number
        else { return .never }
        return .after(.milliseconds(number))
    }

    /// Asks the caller to try again later or never; for the trailers of a failure.
    ///
    /// A pause is rounded up to milliseconds, and is a day at most. What was asked for before is
    /// forgotten.
    ///
    /// - Source: gRPC, proposal A6, "Pushback".
    public mutating func setRetryPushback(_ pushback: RetryPushback) {
        let value =
            switch pushback {
            case .never: "-1"
            case .after(let pause): "\(Self.milliseconds(pause))"
            }
        replace(Self.pushbackName, with: value)
    }

    /// A pause in whole milliseconds, none of which is too early.
    private static func milliseconds(_ pause: Duration) -> Int64 {
        guard pause > .zero else { return 0 }
        guard pause < .milliseconds(longestPushback) else { return longestPushback }
        let (seconds, attoseconds) = pause.components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }

    private mutating func replace(_ name: String, with value: String) {
        removeAll(of: name)
        appendReceived(name, .ascii(value))
    }

    /// These and what tells the service that attempts preceded.
    func marked(previousAttempts: Int, isRepetition: Bool) -> Metadata {
        guard previousAttempts > 0 || isRepetition else { return self }
        var marked = self
        if previousAttempts > 0 {
            // A service that passes on what it was sent passes on its caller's count.
            marked.replace(Self.previousAttemptsName, with: "\(previousAttempts)")
        }
        if self[Self.repetitionName] == nil {
            marked.appendReceived(Self.repetitionName, .ascii("1"))
        }
        return marked
    }

    /// Whether a header of gRPC's own is shown to services and callers all the same.
    static func isOfRetries(_ name: ArraySlice<UInt8>) -> Bool {
        (name.count == previousAttemptsName.utf8.count
            && name.elementsEqual(previousAttemptsName.utf8))
            || (name.count == pushbackName.utf8.count && name.elementsEqual(pushbackName.utf8))
    }
}
