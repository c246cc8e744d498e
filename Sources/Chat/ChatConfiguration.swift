/// Where and how to ask.
public struct ChatConfiguration: Sendable {
    /// `https://api.openai.com/v1`, `http://127.0.0.1:7410`, or the whole path to the completions.
    public var endpoint: String
    public var model: String
    /// Used in turn: item `i` uses key `i mod n`, as long as the server takes it. Empty for an endpoint without keys.
    public var keys: [String]
    /// For each key; nil for no limit.
    public var requestsPerMinute: Int?
    /// For all keys together; nil for no limit.
    public var requestsPerMinuteInAll: Int?
    /// For a whole exchange, or the longest silence of a stream.
    public var timeout: Duration
    public var connectTimeout: Duration
    public var retry: RetryPolicy
    /// Idle connections kept.
    public var connections: Int
    public var maximumReplyBytes: Int
    /// A PEM file of trusted authorities; nil for the system's.
    public var authorityFile: String?
    /// Told, for a person and without the key, when one of several keys is refused and left aside.
    public var onKeyRefused: @Sendable (String) -> Void = { _ in }

    public init(
        endpoint: String, model: String, keys: [String] = [], requestsPerMinute: Int? = nil,
        requestsPerMinuteInAll: Int? = nil,
        timeout: Duration = .seconds(600), connectTimeout: Duration = .seconds(10),
        retry: RetryPolicy = RetryPolicy(), connections: Int = 256,
        maximumReplyBytes: Int = 16 << 20, authorityFile: String? = nil
    ) {
        self.endpoint = endpoint
        self.model = model
        self.keys = keys
        self.requestsPerMinute = requestsPerMinute
        self.requestsPerMinuteInAll = requestsPerMinuteInAll
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.retry = retry
        self.connections = connections
        self.maximumReplyBytes = maximumReplyBytes
        self.authorityFile = authorityFile
    }

    /// The address requests go to.
    ///
    /// - Throws: `configuration` for anything but an http or https address.
    package func completionsURL() throws(ChatError) -> String {
        var url = endpoint
        while url.hasSuffix("/") { url.removeLast() }
        guard url.hasPrefix("http://") || url.hasPrefix("https://"),
            let authority = url.split(separator: "/").dropFirst().first, !authority.contains(" ")
        else {
            throw ChatError(
                .configuration, "the endpoint \"\(endpoint)\" is no http or https address")
        }
        guard !authority.contains("@") else {
            throw ChatError(.configuration, "the endpoint must not hold a user or password")
        }
        if url.hasSuffix("/chat/completions") { return url }
        let hasPath = url.split(separator: "/").count > 2
        return url + (hasPath ? "" : "/v1") + "/chat/completions"
    }
}
