import FoundationEssentials

/// What was used for a reply, as the endpoint counts it; zero where it says nothing.
public struct ChatUsage: Sendable, Equatable {
    public var promptTokens: Int
    public var completionTokens: Int

    public init(promptTokens: Int = 0, completionTokens: Int = 0) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }

    public static func + (left: ChatUsage, right: ChatUsage) -> ChatUsage {
        ChatUsage(
            promptTokens: left.promptTokens + right.promptTokens,
            completionTokens: left.completionTokens + right.completionTokens)
    }
}

/// A whole reply.
public struct ChatReply: Sendable, Equatable {
    public var text: String
    /// `stop`, `length`, `content_filter`, …; empty where the endpoint says nothing.
    public var finishReason: String
    public var usage: ChatUsage
    /// The model that answered, as the endpoint names it.
    public var model: String
    /// How often the request was sent.
    public var attempts: Int

    public init(
        text: String, finishReason: String = "stop", usage: ChatUsage = ChatUsage(),
        model: String = "", attempts: Int = 1
    ) {
        self.text = text
        self.finishReason = finishReason
        self.usage = usage
        self.model = model
        self.attempts = attempts
    }

    /// Whether the token limit cut it off.
    public var isCut: Bool { finishReason == "length" }
}

/// A piece of a streamed reply.
public struct ChatDelta: Sendable, Equatable {
    public var text: String
    /// With the last piece of text, or after it.
    public var finishReason: String?
    public var usage: ChatUsage?
}

/// The objects `chat.completion` and `chat.completion.chunk`.
struct CompletionObject: Decodable {
    struct Choice: Decodable {
        var message: Content?
        var delta: Content?
        var finish_reason: String?
    }
    struct Content: Decodable {
        var content: String?
    }
    struct Usage: Decodable {
        var prompt_tokens: Int?
        var completion_tokens: Int?

        var usage: ChatUsage {
            ChatUsage(promptTokens: prompt_tokens ?? 0, completionTokens: completion_tokens ?? 0)
        }
    }

    var model: String?
    var choices: [Choice]?
    var usage: Usage?
    /// In place of the rest when a stream breaks off.
    var error: ErrorBody.Detail?

    init(_ body: some Collection<UInt8>) throws(ChatError) {
        do {
            self = try JSONDecoder().decode(CompletionObject.self, from: Data(body))
        } catch {
            throw ChatError(.malformedReply, "the reply is no completion object")
        }
    }
}

extension ChatReply {
    init(body: [UInt8], attempts: Int) throws(ChatError) {
        let object = try CompletionObject(body)
        guard let choice = object.choices?.first, let message = choice.message else {
            throw ChatError(.malformedReply, "the reply has no choices")
        }
        self.init(
            text: message.content ?? "", finishReason: choice.finish_reason ?? "",
            usage: object.usage?.usage ?? ChatUsage(), model: object.model ?? "",
            attempts: attempts)
    }
}
