/// A request as bytes, ready to be sent.
struct HTTPRequest: Sendable {
    var url: String
    /// Name and value; may hold a key, so never shown.
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// The whole exchange, or, for a stream, the longest silence.
    var timeout: Duration
    var connectTimeout: Duration
    var maximumReplyBytes: Int
    /// A PEM file of trusted authorities; nil for the system's.
    var authorityFile: String?
    var isStream = false
}

/// The part of a reply before its body.
struct HTTPHead: Sendable, Equatable {
    var status = 0
    /// Names in small letters.
    var headers: [String: String] = [:]
}

/// A reply read to its end.
struct HTTPResponse: Sendable, Equatable {
    var head: HTTPHead
    var body: [UInt8]
}

/// Why no reply, or no whole reply, arrived.
enum TransferError: Error, Equatable {
    case connection(String)
    case timeout
    case tooLarge(limit: Int)
    case cancelled
}
