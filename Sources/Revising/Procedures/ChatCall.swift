/// One message of a chat.
public struct ChatMessage: Sendable, Equatable, Hashable {
    public enum Role: String, Sendable {
        case system, user, assistant
    }

    public var role: Role
    public var content: String

    public init(_ role: Role, _ content: String) {
        self.role = role
        self.content = content
    }
}

/// A request a procedure makes of its teacher; the model is the caller's choice.
public struct ChatCall: Sendable, Equatable {
    public var messages: [ChatMessage]
    public var maximumTokens: Int
    public var temperature: Double
    public var topP: Double
    public var frequencyPenalty: Double
    public var presencePenalty: Double

    public init(
        messages: [ChatMessage], maximumTokens: Int, temperature: Double = 1, topP: Double = 1,
        frequencyPenalty: Double = 0, presencePenalty: Double = 0
    ) {
        self.messages = messages
        self.maximumTokens = maximumTokens
        self.temperature = temperature
        self.topP = topP
        self.frequencyPenalty = frequencyPenalty
        self.presencePenalty = presencePenalty
    }
}

/// What the teacher said.
public struct TeacherReply: Sendable, Equatable {
    public var text: String
    /// Whether the token limit cut it off.
    public var isCut: Bool

    public init(_ text: String, isCut: Bool = false) {
        self.text = text
        self.isCut = isCut
    }
}
