public import Logging
public import RPC

/// Logs the end of each call, with its trace where ``Tracing`` stands before it.
///
/// What went wrong within the service is a warning; every other end is told at `debug`.
public struct CallLog: ServerInterceptor {
    private let logger: Logger

    public init(_ logger: Logger) {
        self.logger = logger
    }

    public func intercept(
        _ exchange: ServerExchange, next: (ServerExchange) async throws -> Void
    ) async throws {
        let begun = ContinuousClock.now
        do {
            try await next(exchange)
        } catch {
            note(exchange.context, Status(describing: error), begun)
            throw error
        }
        note(exchange.context, .ok, begun)
    }

    private func note(
        _ context: CallContext, _ status: Status, _ begun: ContinuousClock.Instant
    ) {
        // What the caller was told, where the call ended before its handler did.
        let status = context.ending ?? status
        let isOurs = [.internal, .unknown, .dataLoss].contains(status.code)
        let level = isOurs ? Logger.Level.warning : .debug
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "method": "\(context.method)", "code": "\(status.code)", "peer": "\(context.peer)",
            "seconds": "\((.now - begun) / .seconds(1))",
        ]
        if !status.message.isEmpty { metadata["reason"] = "\(status.message)" }
        if let trace = context.trace {
            metadata["trace_id"] = "\(trace.traceID)"
            metadata["span_id"] = "\(trace.spanID)"
            if let parent = trace.parentID { metadata["parent_id"] = "\(parent)" }
        }
        logger.log(level: level, "call", metadata: metadata)
    }
}
