import FoundationEssentials
import Revising
import TestKit

/// The transcripts of the original loop with a scripted teacher.
struct GoldenTranscript: Decodable, Sendable {
    struct Task: Decodable, Sendable {
        var instruction: String
        var input: String
        var output: String
    }
    struct Call: Decodable, Sendable {
        var messages: [Message]
        var temperature: Double
        var max_tokens: Int
        var top_p: Double
        var frequency_penalty: Double
        var presence_penalty: Double
    }
    struct Message: Decodable, Sendable {
        var role: String
        var content: String
    }
    struct Item: Decodable, Sendable {
        var iteration_truncated: Bool
        var output: String?
        var instruction: String
        var input: String
        var iteration: Int
        var outputs: [Pair]
    }
    struct Pair: Decodable, Sendable {
        var output: String
        var feedback: String
    }

    var task: Task
    var replies: [String]
    var calls: [Call]
    var item: Item

    static func all() throws -> [String: GoldenTranscript] {
        let data = try Data(contentsOf: SharedData.file("spec/golden-augmentation.json"))
        return try JSONDecoder().decode([String: GoldenTranscript].self, from: data)
    }
}

/// A row of the real chain file.
struct ChainRow: Decodable {
    var outputs: [GoldenTranscript.Pair]

    static func mbpp() throws -> [ChainRow] {
        let url = try SharedData.file("data/selfee/augmentation/feedback_gpt_3.5_turbo_mbpp.jsonl")
        return try lines(of: Data(contentsOf: url)).map {
            try JSONDecoder().decode(ChainRow.self, from: $0)
        }
    }

    static func lines(of data: Data) -> [Data] {
        data.split(separator: UInt8(ascii: "\n")).map { Data($0) }
    }
}

extension GoldenTranscript.Call {
    /// The call as the procedures make it.
    var call: ChatCall {
        ChatCall(
            messages: messages.map { message in
                ChatMessage(
                    ChatMessage.Role(rawValue: message.role) ?? .user, message.content)
            }, maximumTokens: max_tokens, temperature: temperature, topP: top_p,
            frequencyPenalty: frequency_penalty, presencePenalty: presence_penalty)
    }
}
