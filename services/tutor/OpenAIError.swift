import Corpus
import Hummingbird

/// An error in the form of OpenAI's API: an HTTP status and a body that says what and where.
struct OpenAIError: Error, Sendable, Equatable {
    var status: Int
    var message: String
    var type: String
    var parameter: String?
    var code: String?
    /// Seconds for the header Retry-After.
    var retryAfterSeconds: Double?

    init(
        status: Int, message: String, type: String = "invalid_request_error",
        parameter: String? = nil, code: String? = nil, retryAfterSeconds: Double? = nil
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.parameter = parameter
        self.code = code
        self.retryAfterSeconds = retryAfterSeconds
    }

    static func invalid(_ parameter: String, _ message: String) -> OpenAIError {
        OpenAIError(status: 400, message: message, parameter: parameter)
    }

    static func unknownModel(_ name: String) -> OpenAIError {
        OpenAIError(
            status: 404,
            message: "The model `\(name)` does not exist or you do not have access to it.",
            code: "model_not_found")
    }

    static func tooMany(retryAfterSeconds: Double) -> OpenAIError {
        OpenAIError(
            status: 429,
            message: "Rate limit reached on requests per min. Please try again in"
                + " \(retryAfterSeconds)s.",
            type: "requests", code: "rate_limit_exceeded", retryAfterSeconds: retryAfterSeconds)
    }

    static let server = OpenAIError(
        status: 500,
        message: "The server had an error while processing your request. Sorry about that!",
        type: "server_error")

    var json: JSON {
        [
            "error": [
                "message": .string(message), "type": .string(type),
                "param": parameter.map(JSON.string) ?? .null,
                "code": code.map(JSON.string) ?? .null,
            ]
        ]
    }
}

extension OpenAIError {
    var response: Response {
        var response = Response.json(json, status: HTTPResponse.Status(code: status))
        if let retryAfterSeconds {
            let isWhole = retryAfterSeconds == retryAfterSeconds.rounded()
            response.headers[.retryAfter] =
                isWhole ? "\(Int(retryAfterSeconds))" : "\(retryAfterSeconds)"
        }
        return response
    }
}

extension Response {
    static func json(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes())))
    }
}
