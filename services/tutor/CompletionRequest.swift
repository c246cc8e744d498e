import Corpus
import Revising

/// A chat completion as it is asked for, checked.
struct CompletionRequest: Sendable, Equatable {
    /// The model as it was named, with what follows a colon.
    var model: String
    var messages: [ChatMessage] = []
    var maximumTokens: Int?
    var stops: [String] = []
    var choices = 1
    var isStream = false
    var includesUsage = false
    /// What the model's name asks for: `tutor:429`.
    var failure: Failure?

    /// Names the tutor answers to; the last two are the original's teacher and judge.
    static let models = ["tutor", "gpt-3.5-turbo", "gpt-4"]

    init(_ bytes: [UInt8]) throws(OpenAIError) {
        let body: JSON
        do throws(JSONError) {
            body = try JSON(parsing: bytes)
        } catch {
            throw OpenAIError(
                status: 400, message: "We could not parse the JSON body of your request: \(error)")
        }
        guard body.objectValue != nil else {
            throw OpenAIError(status: 400, message: "The body of your request is not an object.")
        }
        guard let name = body["model"]?.stringValue, !name.isEmpty else {
            throw .invalid("model", "you must provide a model parameter")
        }
        model = name
        let parts = name.split(separator: ":", maxSplits: 1)
        guard Self.models.contains(String(parts[0])) else { throw .unknownModel(name) }
        if parts.count == 2 {
            guard let kind = Failure.Kind(rawValue: String(parts[1])) else {
                throw .unknownModel(name)
            }
            failure = Failure(kind)
        }
        messages = try Self.messages(body["messages"])
        try readSettings(body)
    }

    private mutating func readSettings(_ body: JSON) throws(OpenAIError) {
        _ = try Self.number(body, "temperature", in: 0...2)
        _ = try Self.number(body, "top_p", in: 0...1)
        _ = try Self.number(body, "presence_penalty", in: -2...2)
        _ = try Self.number(body, "frequency_penalty", in: -2...2)
        choices = try Self.integer(body, "n", in: 1...128) ?? 1
        let tokens = try Self.integer(body, "max_tokens", in: 1...1_000_000)
        maximumTokens =
            try Self.integer(body, "max_completion_tokens", in: 1...1_000_000) ?? tokens
        isStream = try Self.flag(body["stream"], "stream")
        includesUsage = try Self.flag(
            body["stream_options"]?["include_usage"], "stream_options.include_usage")
        switch body["stop"] {
        case nil, .null: break
        case .string(let stop): stops = [stop]
        case .array(let all) where all.count <= 4 && all.allSatisfy({ $0.stringValue != nil }):
            stops = all.compactMap(\.stringValue)
        default: throw .invalid("stop", "'stop' must be a string or an array of up to 4 strings")
        }
        stops.removeAll(where: \.isEmpty)
    }

    private static func messages(_ json: JSON?) throws(OpenAIError) -> [ChatMessage] {
        guard let rows = json?.arrayValue, !rows.isEmpty else {
            throw .invalid("messages", "'messages' must be an array of at least one message")
        }
        var messages: [ChatMessage] = []
        for (index, row) in rows.enumerated() {
            let place = "messages.[\(index)]"
            let role: ChatMessage.Role
            switch row["role"]?.stringValue {
            case "system", "developer": role = .system
            case "user": role = .user
            case "assistant": role = .assistant
            default:
                throw .invalid(
                    "\(place).role",
                    "'role' must be one of 'system', 'developer', 'user' and 'assistant'")
            }
            let content = try content(row["content"], place: "\(place).content")
            messages.append(ChatMessage(role, content))
        }
        return messages
    }

    /// A text, or an array of parts of which only texts are understood.
    private static func content(_ json: JSON?, place: String) throws(OpenAIError) -> String {
        if let text = json?.stringValue { return text }
        guard let parts = json?.arrayValue else {
            throw .invalid(place, "'content' must be a string or an array of text parts")
        }
        var text = ""
        for part in parts {
            guard part["type"]?.stringValue == "text", let more = part["text"]?.stringValue else {
                throw .invalid(place, "only parts of type 'text' are understood")
            }
            text += more
        }
        return text
    }

    private static func number(
        _ body: JSON, _ name: String, in range: ClosedRange<Double>
    ) throws(OpenAIError) -> Double? {
        guard let json = body[name], !json.isNull else { return nil }
        guard let value = json.doubleValue, range.contains(value) else {
            throw .invalid(
                name, "'\(name)' must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    private static func integer(
        _ body: JSON, _ name: String, in range: ClosedRange<Int>
    ) throws(OpenAIError) -> Int? {
        guard let json = body[name], !json.isNull else { return nil }
        guard let value = json.intValue, range.contains(value) else {
            throw .invalid(
                name, "'\(name)' must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    private static func flag(_ json: JSON?, _ name: String) throws(OpenAIError) -> Bool {
        guard let json, !json.isNull else { return false }
        guard let value = json.boolValue else {
            throw .invalid(name, "'\(name)' must be a boolean")
        }
        return value
    }
}
