/// How a call ended: the one error that crosses a process.
///
/// Programs act on the code; people read the message, which carries no secrets.
public struct Status: Error, Sendable, Equatable, CustomStringConvertible {
    /// The codes of gRPC, with its numbers.
    public enum Code: Int, Sendable, CaseIterable {
        case ok = 0
        case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
        case permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange
        case unimplemented, `internal`, unavailable, dataLoss, unauthenticated
    }

    public var code: Code
    public var message: String
    private var box: Box?

    public init(_ code: Code, _ message: String, details: StatusDetails? = nil) {
        self.code = code
        self.message = message
        box = details.map(Box.init)
    }

    /// What the status says to programs beside its code; nil for most.
    public var details: StatusDetails? {
        get { box?.details }
        set { box = newValue.map(Box.init) }
    }

    /// A request whose fields are not what they should be: `FIELDS_INVALID`, with each field named.
    public static func invalid(
        _ message: String, domain: String, _ violations: [FieldViolation]
    ) -> Status {
        var details = StatusDetails(reason: "FIELDS_INVALID", domain: domain)
        details.violations = violations
        return Status(.invalidArgument, message, details: details)
    }

    /// Details are rare and large: a status without them stays small.
    private final class Box: Sendable {
        let details: StatusDetails

        init(_ details: StatusDetails) {
            self.details = details
        }
    }

    public static func == (one: Status, other: Status) -> Bool {
        one.code == other.code && one.message == other.message && one.details == other.details
    }

    public static let ok: Status = Status(.ok, "")

    public var description: String {
        message.isEmpty ? "\(code)" : "\(code): \(message)"
    }
}

/// An error that knows which status a caller should see.
public protocol StatusConvertible: Error {
    var status: Status { get }
}

extension Status: StatusConvertible {
    public var status: Status { self }
}

extension Status {
    /// What a caller sees when a handler, or the code under it, throws `error`.
    ///
    /// An error without a status of its own is not described to the peer: it may hold secrets.
    public init(describing error: any Error) {
        switch error {
        case let error as any StatusConvertible: self = error.status
        case is CancellationError: self = Status(.cancelled, "the call was cancelled")
        default: self = Status(.unknown, "the service failed: \(type(of: error))")
        }
    }
}
