/// Why a chat request got no usable reply.
public struct ChatError: Error, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        /// 401: the key is wrong.
        case authentication
        /// 403: the key may not do this.
        case permission
        /// 404: no such model or path.
        case notFound
        /// The messages do not fit the model's context.
        case contextLength
        /// A policy refused the prompt.
        case contentFilter
        /// The account has no credit left; waiting does not help.
        case quota
        /// Any other 4xx.
        case invalidRequest
        /// 429, 408 or 409: later it may work.
        case rateLimited
        /// 5xx.
        case server
        /// No connection, or one that broke.
        case connection
        case timeout
        /// A reply that is not what the protocol says.
        case malformedReply
        case replyTooLarge
        /// Settings that cannot work.
        case configuration
    }

    public var kind: Kind
    /// What happened, without keys.
    public var message: String
    /// The HTTP status, if a reply came.
    public var status: Int?
    /// The server's own code, such as `context_length_exceeded`.
    public var code: String?
    /// How often the request was sent.
    public var attempts: Int

    public init(
        _ kind: Kind, _ message: String, status: Int? = nil, code: String? = nil, attempts: Int = 0
    ) {
        self.kind = kind
        self.message = message
        self.status = status
        self.code = code
        self.attempts = attempts
    }

    /// Whether the same request may succeed later.
    public var isRetryable: Bool {
        switch kind {
        case .rateLimited, .server, .connection, .timeout, .malformedReply: true
        default: false
        }
    }

    public var description: String {
        var text = "\(kind.rawValue): \(message)"
        if let status { text += " (HTTP \(status)\(code.map { ", \($0)" } ?? ""))" }
        if attempts > 1 { text += " after \(attempts) attempts" }
        return text + "; " + advice
    }

    private var advice: String {
        switch kind {
        case .authentication: "check the key in OPENAI_API_KEY"
        case .permission: "check what the key is allowed to do"
        case .notFound: "check the endpoint and the model's name"
        case .contextLength: "shorten the example or use a model with a longer context"
        case .contentFilter: "leave the example out"
        case .quota: "check the account's plan and billing"
        case .invalidRequest, .configuration: "check the settings"
        case .rateLimited: "lower the requests per minute"
        case .server, .connection, .timeout: "check that the endpoint is up, then run again"
        case .malformedReply, .replyTooLarge: "check that the endpoint speaks the OpenAI protocol"
        }
    }
}
