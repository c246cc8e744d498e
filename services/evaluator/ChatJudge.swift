import Chat
import Corpus
import Judging

/// Any OpenAI-compatible endpoint as a judge.
struct ChatJudge: Sendable {
    /// As often as the original asks, with waits that give a busy judge time; one that names a
    /// wait is obeyed up to an hour.
    static let retry = RetryPolicy(
        retries: 5, longest: .seconds(30), longestRetryAfter: .seconds(3600))
    /// The original's.
    static let usualMaximumTokens = 1_024

    let maximumTokens: Int
    private let client: ChatClient

    init(
        _ configuration: ChatConfiguration, maximumTokens: Int = usualMaximumTokens
    ) throws(ChatError) {
        client = try ChatClient(configuration)
        self.maximumTokens = maximumTokens
    }

    private func request(for judgement: Judgement) -> ChatRequest {
        ChatRequest(
            messages: [
                .init(role: "system", content: judgement.system),
                .init(role: "user", content: judgement.user),
            ], maximumTokens: maximumTokens, temperature: Judgement.temperature)
    }

    /// Equal for equal model, messages and parameters, question and order.
    func key(of judgement: Judgement, order: ReviewOrder) -> String {
        let body = request(for: judgement).body(model: client.configuration.model)
        return SHA256.hexadecimal(
            of: Array("\(order.rawValue) \(judgement.questionID) ".utf8) + body)
    }

    /// - Parameter item: chooses the key.
    func review(_ judgement: Judgement, item: Int) async throws -> ChatReply {
        try await client.complete(request(for: judgement), item: item)
    }
}

/// Whose answer the judge sees first.
enum ReviewOrder: String, Sendable, CaseIterable {
    case modelFirst, opponentFirst
}
