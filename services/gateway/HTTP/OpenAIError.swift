package import Corpus
package import RPC

/// An error as OpenAI's protocol has it: an HTTP status and an object that says what was wrong.
package struct OpenAIError: Error, Sendable, Equatable, CustomStringConvertible {
    package var status: Int
    package var message: String
    package var type: String
    package var parameter: String?
    package var code: String?

    package var description: String { "\(status) \(type): \(message)" }

    static func invalid(
        _ message: String, parameter: String?, code: String? = nil
    ) -> OpenAIError {
        OpenAIError(
            status: 400, message: message, type: "invalid_request_error", parameter: parameter,
            code: code)
    }

    static func unsupported(_ parameter: String, _ reason: String) -> OpenAIError {
        invalid(
            "Unsupported value or parameter: '\(parameter)': \(reason).", parameter: parameter,
            code: "unsupported_parameter")
    }

    static func notFound(_ path: String, _ method: String) -> OpenAIError {
        OpenAIError(
            status: 404, message: "Invalid URL (\(method) \(path))", type: "invalid_request_error",
            parameter: nil, code: nil)
    }

    static func notAllowed(_ path: String, _ method: String) -> OpenAIError {
        OpenAIError(
            status: 405, message: "Not allowed to \(method) on \(path)",
            type: "invalid_request_error", parameter: nil, code: "method_not_supported")
    }

    static func noModel(_ name: String) -> OpenAIError {
        OpenAIError(
            status: 404,
            message: "The model `\(name)` does not exist or you do not have access to it.",
            type: "invalid_request_error", parameter: "model", code: "model_not_found")
    }

    /// What a caller of HTTP sees of a call that failed behind the gateway.
    package init(_ status: Status) {
        let (http, type, code): (Int, String, String?) =
            switch status.code {
            case .invalidArgument: (400, "invalid_request_error", nil)
            case .outOfRange: (400, "invalid_request_error", "context_length_exceeded")
            case .unauthenticated, .permissionDenied: (502, "server_error", "backend_refused")
            case .notFound: (404, "invalid_request_error", "not_found")
            case .alreadyExists, .aborted: (409, "invalid_request_error", nil)
            case .resourceExhausted: (429, "requests", "rate_limit_exceeded")
            case .unimplemented: (501, "server_error", "not_implemented")
            case .failedPrecondition: (503, "server_error", "not_ready")
            case .unavailable: (503, "server_error", "unavailable")
            case .deadlineExceeded: (504, "server_error", "timeout")
            case .ok, .cancelled, .unknown, .internal, .dataLoss: (500, "server_error", nil)
            }
        self.init(
            status: http,
            message: http == 503 && status.message.isEmpty
                ? "The model is not available at present; try again." : status.message,
            type: type, parameter: nil, code: code)
    }

    /// What a caller of HTTP sees of whatever was thrown.
    init(describing error: any Error) {
        if let error = error as? OpenAIError {
            self = error
        } else {
            self.init(Status(describing: error))
        }
    }

    init(status: Int, message: String, type: String, parameter: String?, code: String?) {
        self.status = status
        self.message = message
        self.type = type
        self.parameter = parameter
        self.code = code
    }

    /// `{"error": {…}}`
    package var body: JSON {
        [
            "error": [
                "message": .string(message), "type": .string(type),
                "param": parameter.map { .string($0) } ?? .null,
                "code": code.map { .string($0) } ?? .null,
            ]
        ]
    }
}
