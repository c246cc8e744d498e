import HTTPTypes
import Hummingbird
import Logging
import RPC
import ServiceKit

/// Turns what is thrown into OpenAI's error object, and counts requests.
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
        let response: Response
        do {
            response = try await next(request, context)
        } catch {
            let path = "\(request.uri.path)"
            let error = Self.told(error, path: path, method: request.method.rawValue)
            if error.status >= 500 {
                logger.warning(
                    "request failed", metadata: ["path": "\(path)", "error": "\(error)"])
            }
            var reply = GatewayHTTP.json(error.body, status: error.status)
            if error.status == 405 { reply.headers[.allow] = Self.methods(of: path) }
            response = reply
        }
        let route = context.endpointPath ?? "other"
        let labels = [("route", route), ("status", "\(response.status.code)")]
        registry.counter("hone_http_requests_total", "Requests answered.", labels: labels).add()
        registry.histogram(
            "hone_http_request_seconds", "Until the answer began.", labels: [("route", route)]
        ).record(ContinuousClock.now - began)
        return response
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
