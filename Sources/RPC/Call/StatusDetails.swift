public import Wire

/// What a status says to programs beside its code: `hone.status.StatusDetails`.
///
/// It travels in the trailer `grpc-status-details-bin`. Who does not know the schema still reads
/// code and message from gRPC's own trailers.
public struct StatusDetails: WireMessage {
    public static let wireName = "hone.status.StatusDetails"
    /// gRPC's number of the code; set by the transport.
    public var code = 0
    /// Set by the transport.
    public var message = ""
    /// What happened, in capitals, such as `FIELDS_INVALID`.
    public var reason = ""
    /// Who gives the reason its meaning, such as `hone.Data`.
    public var domain = ""
    /// The values that the reason speaks of.
    public var metadata: [String: String] = [:]
    /// How long to wait before another attempt; nil where nobody said.
    public var retryAfterMilliseconds: Int?
    /// What is wrong with the request's fields.
    public var violations: [FieldViolation] = []

    public init() {}

    public init(reason: String, domain: String, metadata: [String: String] = [:]) {
        self.reason = reason
        self.domain = domain
        self.metadata = metadata
    }

    public mutating func code(with coder: inout WireCoder) {
        coder.uint(1, "code", &code)
        coder.string(2, "message", &message)
        coder.string(3, "reason", &reason)
        coder.string(4, "domain", &domain)
        coder.map(5, "metadata", &metadata)
        coder.uint(6, "retryAfterMilliseconds", &retryAfterMilliseconds)
        coder.repeated(7, "violations", &violations)
    }

    /// The most bytes that travel: beside other trailers they stay below what peers accept.
    package static let travelBytes = 4096

    /// The bytes that travel: without violations, then without metadata, then not at all, where
    /// they are too many.
    package func bounded() -> [UInt8]? {
        var details = self
        var bytes = details.encoded()
        while bytes.count > Self.travelBytes, !details.violations.isEmpty {
            details.violations.removeLast((details.violations.count + 1) / 2)
            bytes = details.encoded()
        }
        if bytes.count > Self.travelBytes {
            details.metadata = [:]
            bytes = details.encoded()
        }
        return bytes.count <= Self.travelBytes ? bytes : nil
    }
}

/// What is wrong with one field.
public struct FieldViolation: WireMessage {
    public static let wireName = "hone.status.FieldViolation"
    /// Where it is, such as `inputs[2].dataset.name`.
    public var field = ""
    /// What it should be, for a person.
    public var description = ""

    public init() {}

    public init(_ field: String, _ description: String) {
        self.field = field
        self.description = description
    }

    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "field", &field)
        coder.string(2, "description", &description)
    }
}
