import Corpus

/// The keys that open `/v1`; none, and it is open to everybody who reaches the port.
package struct APIKeys: Sendable {
    /// SHA-256 of each: a look-up then says nothing about a key by the time it takes.
    private let hashes: Set<String>

    package static let none = APIKeys([])

    package init(_ keys: [String]) {
        hashes = Set(keys.map { SHA256.hexadecimal(of: $0) })
    }

    /// Reads one key a line; empty lines and lines that begin with `#` are left out.
    init(file path: String) throws {
        let text = String(decoding: try FileReader.bytes(of: path), as: UTF8.self)
        let keys = text.split(whereSeparator: \.isNewline)
            .map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
        guard !keys.isEmpty else {
            throw GatewayError.noKeys(path: path)
        }
        self.init(keys)
    }

    /// Refuses a request whose `Authorization` header bears no known key.
    package func check(_ authorization: String?) throws {
        if hashes.isEmpty { return }
        guard let authorization, authorization.lowercased().hasPrefix("bearer ") else {
            throw Self.refusal(
                """
                You didn't provide an API key. You need to provide your API key in an \
                Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).
                """, code: nil)
        }
        let key = String(authorization.dropFirst(7))
        guard hashes.contains(SHA256.hexadecimal(of: key)) else {
            throw Self.refusal(
                "Incorrect API key provided: \(Self.masked(key)).", code: "invalid_api_key")
        }
    }

    private static func refusal(_ message: String, code: String?) -> OpenAIError {
        OpenAIError(
            status: 401, message: message, type: "invalid_request_error", parameter: nil,
            code: code)
    }

    /// Enough of a key to know which one it was.
    private static func masked(_ key: String) -> String {
        key.count < 12 ? "****" : "\(key.prefix(3))****\(key.suffix(4))"
    }
}
