/// A chat completion to ask for; the model comes from the client's configuration unless named.
public struct ChatRequest: Sendable, Equatable {
    public struct Message: Sendable, Equatable {
        /// `system`, `user` or `assistant`.
        public var role: String
        public var content: String

        public init(role: String, content: String) {
            self.role = role
            self.content = content
        }
    }

    public var messages: [Message]
    public var model: String?
    public var maximumTokens: Int?
    public var temperature: Double?
    public var topP: Double?
    public var frequencyPenalty: Double?
    public var presencePenalty: Double?
    public var stop: [String]

    public init(
        messages: [Message], model: String? = nil, maximumTokens: Int? = nil,
        temperature: Double? = nil, topP: Double? = nil, frequencyPenalty: Double? = nil,
        presencePenalty: Double? = nil, stop: [String] = []
    ) {
        self.messages = messages
        self.model = model
        self.maximumTokens = maximumTokens
        self.temperature = temperature
        self.topP = topP
        self.frequencyPenalty = frequencyPenalty
        self.presencePenalty = presencePenalty
        self.stop = stop
    }

    /// The request as JSON: always the same bytes for the same request, so that they can be a key.
    public func body(model defaultModel: String, isStream: Bool = false) -> [UInt8] {
        var writer = JSONText()
        writer.raw("{\"model\":")
        writer.text(model ?? defaultModel)
        writer.raw(",\"messages\":[")
        for (index, message) in messages.enumerated() {
            writer.raw(index == 0 ? "{\"role\":" : ",{\"role\":")
            writer.text(message.role)
            writer.raw(",\"content\":")
            writer.text(message.content)
            writer.raw("}")
        }
        writer.raw("]")
        writer.number("temperature", temperature)
        writer.number("max_tokens", maximumTokens.map { Double($0) })
        writer.number("top_p", topP)
        writer.number("frequency_penalty", frequencyPenalty)
        writer.number("presence_penalty", presencePenalty)
        for (index, text) in stop.enumerated() {
            writer.raw(index == 0 ? ",\"stop\":[" : ",")
            writer.text(text)
        }
        if !stop.isEmpty { writer.raw("]") }
        if isStream {
            writer.raw(",\"stream\":true,\"stream_options\":{\"include_usage\":true}")
        }
        writer.raw("}")
        return writer.bytes
    }
}

/// Writes JSON without an intermediate value.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: StaticString) {
        bytes += text.description.utf8
    }

    mutating func number(_ name: StaticString, _ value: Double?) {
        guard let value, value.isFinite else { return }
        raw(",\"")
        raw(name)
        raw("\":")
        let isWhole = value == value.rounded() && value.magnitude < 1e15
        bytes += (isWhole ? String(Int(value)) : String(value)).utf8
    }

    mutating func text(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\t"): bytes += "\\t".utf8
            case UInt8(ascii: "\r"): bytes += "\\r".utf8
            case 0..<32:
                bytes += "\\u00".utf8
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
