public import RPC

/// What every server tells of itself.
public enum AdminAPI {
    public static let service = "hone.Admin"

    public static let describe = Method<DescribeRequest, Description>(
        service: service, name: "Describe", kind: .unary, idempotent: true)
    public static let metrics = Method<MetricsRequest, MetricsReply>(
        service: service, name: "Metrics", kind: .unary, idempotent: true)

    /// Every call, as the schema lists them.
    package static let methods = [MethodDescription(describe), MethodDescription(metrics)]

    /// What a server that answers these calls provides.
    public protocol Handler: Sendable {
        /// Tells which calls the server answers, with the text of their schemas.
        func describe(_ request: DescribeRequest, _ context: CallContext) async throws
            -> Description
        /// Tells the numbers that the process counts.
        func metrics(_ request: MetricsRequest, _ context: CallContext) async throws
            -> MetricsReply
    }
}

extension Router {
    /// Answers every call of `hone.Admin` with `handler`.
    public mutating func register(_ handler: some AdminAPI.Handler) {
        unary(AdminAPI.describe, handler.describe)
        unary(AdminAPI.metrics, handler.metrics)
    }
}
