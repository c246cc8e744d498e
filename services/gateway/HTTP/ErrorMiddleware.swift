import HTTPTypes
import Hummingbird
import Logging
import RPC
import ServiceKit

/// Turns what is thrown into OpenAI's error object, counts requests, and carries their trace: from
/// `traceparent` to the calls they lead to, and back in `traceparent` and `x-request-id`.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = GatewayContext

    let registry: MetricsRegistry
    let logger: Logger

    @concurrent
    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let began = ContinuousClock.now
        let trace = Self.trace(of: request)
        var response: Response
        do {
            response = try await TraceContext.$current.withValue(trace) {
                try await next(request, context)
            }
        } catch {
            let path = "\(request.uri.path)"
            let error = Self.told(error, path: path, method: request.method.rawValue)
            if error.status >= 500 {
                logger.warning(
                    "request failed",
                    metadata: [
                        "path": "\(path)", "error": "\(error)", "trace_id": "\(trace.traceID)",
                    ])
            }
            var reply = GatewayHTTP.json(error.body, status: error.status)
            if error.status == 405 { reply.headers[.allow] = Self.methods(of: path) }
            response = reply
        }
        if let traceParent = Self.traceParent, let requestID = Self.requestID {
            response.headers[traceParent] = trace.header
            response.headers[requestID] = trace.traceID
        }
        let route = context.endpointPath ?? "other"
        let labels = [("route", route), ("status", "\(response.status.code)")]
        registry.counter("hone_http_requests_total", "Requests answered.", labels: labels).add()
        registry.histogram(
            "hone_http_request_seconds", "Until the answer began.", labels: [("route", route)]
        ).record(ContinuousClock.now - began)
        return response
    }

    private static let traceParent = HTTPField.Name("traceparent")
    private static let traceState = HTTPField.Name("tracestate")
    private static let requestID = HTTPField.Name("x-request-id")

    /// The caller's trace, if it sends one that is valid, else a new one.
    private static func trace(of request: Request) -> TraceContext {
        guard let traceParent, let traceState else { return TraceContext() }
        let caller = TraceContext(
            parent: request.headers[values: traceParent],
            states: request.headers[values: traceState])
        return caller?.next() ?? TraceContext()
    }

    private static func told(_ error: any Error, path: String, method: String) -> OpenAIError {
        switch error {
        case let error as HTTPError where error.status == .notFound:
            methods(of: path) == nil ? .notFound(path, method) : .notAllowed(path, method)
        case let error as HTTPError:
            OpenAIError(
                status: error.status.code,
                message: error.body ?? "The request was refused: \(error.status).",
                type: "invalid_request_error", parameter: nil, code: nil)
        default: OpenAIError(describing: error)
        }
    }

    /// How a path can be asked for; nil where there is no such path.
    private static func methods(of path: String) -> String? {
        if path == "/v1/chat/completions" { return "POST" }
        let isKnown =
            PageFile.all.contains { $0.path == path } || path.hasPrefix("/v1/models/")
            || ["/healthz", "/readyz", "/metrics", "/v1/models"].contains(path)
        return isKnown ? "GET, HEAD" : nil
    }
}
