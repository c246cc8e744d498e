import Corpus
import Drills
import FoundationEssentials
import Judging
import Revising

/// The reply to one chat completion, in both of its forms.
struct Completion: Sendable {
    let id: String
    let created: Int
    let model: String
    let text: String
    /// `stop`, or `length` where the reply was cut at the tokens allowed.
    let finishReason: String
    let choices: Int
    let promptTokens: Int
    let completionTokens: Int

    /// The tutor has no tokenizer; it counts a token for every four bytes begun.
    static let bytesPerToken = 4

    init(_ reply: String, to request: CompletionRequest) {
        id = "chatcmpl-\(ShortID.make())"
        created = Int(Date().timeIntervalSince1970)
        model = request.model
        choices = request.choices
        var text = reply
        for stop in request.stops {
            if let found = text.firstRange(of: stop) { text = String(text[..<found.lowerBound]) }
        }
        if let limit = request.maximumTokens, Self.tokens(text) > limit {
            var bytes = text.utf8.prefix(limit * Self.bytesPerToken)
            while let last = bytes.indices.last, String(bytes) == nil {
                bytes = bytes[..<last]
            }
            text = String(bytes) ?? ""
            finishReason = "length"
        } else {
            finishReason = "stop"
        }
        self.text = text
        // Four more for each message's role and ends, as the real ones have.
        promptTokens = request.messages.reduce(3) { $0 + 4 + Self.tokens($1.content) }
        completionTokens = Self.tokens(text) * choices
    }

    private static func tokens(_ text: String) -> Int {
        (text.utf8.count + bytesPerToken - 1) / bytesPerToken
    }

    private var usage: JSON {
        [
            "prompt_tokens": .int(promptTokens), "completion_tokens": .int(completionTokens),
            "total_tokens": .int(promptTokens + completionTokens),
        ]
    }

    /// The whole reply as one object.
    var json: JSON {
        let all: [JSON] = (0..<choices).map {
            [
                "index": .int($0),
                "message": [
                    "role": "assistant", "content": .string(text), "refusal": nil,
                    "annotations": [],
                ],
                "logprobs": nil, "finish_reason": .string(finishReason),
            ]
        }
        return [
            "id": .string(id), "object": "chat.completion", "created": .int(created),
            "model": .string(model), "choices": .array(all), "usage": usage,
        ]
    }

    /// The reply as server-sent events, the end mark included.
    func events(includingUsage: Bool) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for index in 0..<choices {
            events.append(
                chunk(index, ["role": "assistant", "content": "", "refusal": nil], nil))
            for piece in Self.pieces(of: text) {
                events.append(chunk(index, ["content": .string(piece)], nil))
            }
            events.append(chunk(index, [:], finishReason))
        }
        if includingUsage { events.append(event(choices: [], usage: usage)) }
        events.append(Array("data: [DONE]\n\n".utf8))
        return events
    }

    private func chunk(_ index: Int, _ delta: JSON, _ finish: String?) -> [UInt8] {
        event(
            choices: [
                [
                    "index": .int(index), "delta": delta,
                    "finish_reason": finish.map(JSON.string) ?? .null,
                ]
            ], usage: nil)
    }

    private func event(choices: JSON, usage: JSON?) -> [UInt8] {
        var object = JSONObject([
            ("id", .string(id)), ("object", "chat.completion.chunk"), ("created", .int(created)),
            ("model", .string(model)), ("choices", choices),
        ])
        if let usage { object["usage"] = usage }
        return Array("data: ".utf8) + JSON.object(object).bytes() + Array("\n\n".utf8)
    }

    /// Words, each with the white space before it.
    static func pieces(of text: String) -> [String] {
        var pieces: [String] = []
        var piece = ""
        var hasWord = false
        for character in text {
            if character.isWhitespace, hasWord {
                pieces.append(piece)
                piece = ""
                hasWord = false
            }
            piece.append(character)
            hasWord = hasWord || !character.isWhitespace
        }
        if !piece.isEmpty { pieces.append(piece) }
        return pieces
    }
}
