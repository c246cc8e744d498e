package import Chat
import Corpus
package import Revising

/// Who answers a procedure's calls. One driver asks an endpoint, another one, in tests, a script.
package protocol Teacher: Sendable {
    /// The model's name, part of the journal's keys and of the records.
    var model: String { get }
    /// The request's bytes: equal for equal model, messages and parameters.
    func request(for call: ChatCall) -> [UInt8]
    /// - Parameter item: the example's number, which chooses the key.
    func answer(_ call: ChatCall, item: Int) async throws -> TeacherAnswer
}

/// A reply with what it cost.
package struct TeacherAnswer: Sendable, Equatable {
    package var text: String
    package var isCut: Bool
    package var promptTokens: Int
    package var completionTokens: Int

    package init(
        text: String, isCut: Bool = false, promptTokens: Int = 0, completionTokens: Int = 0
    ) {
        self.text = text
        self.isCut = isCut
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }
}

/// Any OpenAI-compatible endpoint as a teacher.
package struct ChatTeacher: Teacher {
    private let client: ChatClient

    package init(_ configuration: ChatConfiguration) throws(ChatError) {
        client = try ChatClient(configuration)
    }

    package var model: String { client.configuration.model }

    package func request(for call: ChatCall) -> [UInt8] {
        chatRequest(call).body(model: model)
    }

    package func answer(_ call: ChatCall, item: Int) async throws -> TeacherAnswer {
        let reply = try await client.complete(chatRequest(call), item: item)
        return TeacherAnswer(
            text: reply.text, isCut: reply.isCut, promptTokens: reply.usage.promptTokens,
            completionTokens: reply.usage.completionTokens)
    }

    private func chatRequest(_ call: ChatCall) -> ChatRequest {
        ChatRequest(
            messages: call.messages.map { .init(role: $0.role.rawValue, content: $0.content) },
            maximumTokens: call.maximumTokens, temperature: call.temperature, topP: call.topP,
            frequencyPenalty: call.frequencyPenalty, presencePenalty: call.presencePenalty)
    }
}

extension ChatTeacher {
    /// As often as the original tries, with waits that give a busy teacher time. A teacher that
    /// names a wait is obeyed up to an hour: asking before that would only spend the attempts.
    static let retry = RetryPolicy(
        retries: 5, longest: .seconds(30), longestRetryAfter: .seconds(3600))
}
