import FoundationEssentials

/// The error object of the OpenAI protocol: `{"error": {"message", "type", "param", "code"}}`.
struct ErrorBody: Decodable {
    struct Detail: Decodable {
        var message: String?
        var type: String?
        var code: String?

        enum Keys: CodingKey {
            case message, type, code
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Keys.self)
            message = try fields.decodeIfPresent(String.self, forKey: .message)
            type = try fields.decodeIfPresent(String.self, forKey: .type)
            // Some servers send a number.
            if let text = try? fields.decodeIfPresent(String.self, forKey: .code) {
                code = text
            } else {
                code = try fields.decodeIfPresent(Int.self, forKey: .code).map { String($0) }
            }
        }
    }

    var error: Detail

    /// Nil for a body that is no such object: an HTML page of a proxy, for instance.
    init?(_ body: [UInt8]) {
        do {
            self = try JSONDecoder().decode(ErrorBody.self, from: Data(body))
        } catch {
            return nil
        }
    }
}

extension ChatError {
    /// What a reply with an error status means.
    package init(status: Int, body: [UInt8]) {
        let detail = ErrorBody(body)?.error
        let marks = [detail?.code, detail?.type].compactMap { $0 }
        let kind: Kind =
            switch status {
            case _ where marks.contains("insufficient_quota"): .quota
            case _ where marks.contains("context_length_exceeded"): .contextLength
            case _ where marks.contains("content_filter"): .contentFilter
            case 401: .authentication
            case 403: .permission
            case 404: .notFound
            case 408, 409, 429: .rateLimited
            case 500...: .server
            default: .invalidRequest
            }
        self.init(
            kind, detail?.message ?? "the endpoint answered without an error object",
            status: status, code: detail?.code ?? detail?.type)
    }

    init(_ error: TransferError) {
        switch error {
        case .connection(let text): self.init(.connection, text)
        case .timeout: self.init(.timeout, "no reply in time")
        case .tooLarge(let limit):
            self.init(.replyTooLarge, "the reply has more than \(limit) bytes")
        case .cancelled: self.init(.connection, "the exchange was ended")
        }
    }

    /// Without anything that is or looks like a key; servers quote keys in their messages.
    package func redacted(keys: [String]) -> ChatError {
        var words = message.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        for index in words.indices {
            let isKey = keys.contains { !$0.isEmpty && words[index].contains($0) }
            if isKey || words[index].contains("sk-") { words[index] = "[key]" }
        }
        var copy = self
        copy.message = words.joined(separator: " ")
        return copy
    }
}
