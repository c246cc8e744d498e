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

    /// How many attempts preceded this one, as the caller says.
    public var previousAttempts: Int { self[Self.previousAttemptsName].flatMap { Int($0) } ?? 0 }

    /// Whether the call, or one that it serves, was tried before.
    package var isRepetition: Bool {
        !isEmpty && (self[Self.repetitionName] != nil || previousAttempts > 0)
    }

    /// What the service asked for beside a failure; nil of none. What cannot be read means never.
    public var retryPushback: RetryPushback? {
        guard let text = self[Self.pushbackName] else { return nil }
        guard let number = Int64(text), number >= 0, number <= 86_400_000 else { return .never }
        return .after(.milliseconds(number))
    }

    /// Asks the caller to try again later or never; for the trailers of a failure.
    ///
    /// - Source: gRPC, proposal A6, "Pushback".
    public mutating func setRetryPushback(_ pushback: RetryPushback) {
        let value =
            switch pushback {
            case .never: "-1"
            case .after(let pause):
                "\(pause.components.seconds * 1000 + pause.components.attoseconds / 1_000_000_000_000_000)"
            }
        appendReceived(Self.pushbackName, .ascii(value))
    }

    /// These and what tells the service that attempts preceded.
    func marked(previousAttempts: Int, isRepetition: Bool) -> Metadata {
        guard previousAttempts > 0 || isRepetition else { return self }
        var marked = self
        if previousAttempts > 0 {
            marked.appendReceived(Self.previousAttemptsName, .ascii("\(previousAttempts)"))
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
