package import Corpus
import RPC
package import Schema
import Wire

/// Builds OpenAI's objects from the events of one answer, streamed or whole.
///
/// A client that knows nothing of revisions sees the final answer alone: `content` is sent once the
/// answer is known to be final, or as it comes where no revision can follow. What is underway is in
/// the field `revision` of each chunk.
package struct ChatResponse: Sendable {
    private let identifier: String
    private let created: Int
    private let model: String
    /// Whether the first draft is the answer, so that its text can be sent as it comes.
    private let isPlain: Bool
    private var record = RevisionRecord()
    private var finish: GenerateEvent?

    package init(identifier: String, created: Int, model: String, policy: RevisionPolicy) {
        self.identifier = identifier
        self.created = created
        self.model = model
        isPlain = policy.mode == .off
    }

    /// What becomes of an answer whose last event never came.
    static let unfinished = OpenAIError(
        Status(.unavailable, "The answer broke off before it was finished; try again."))

    /// Refuses to tell of an answer that has not ended as one.
    package func checkFinished() throws {
        if finish == nil { throw Self.unfinished }
    }

    // MARK: Streaming

    /// The chunk that opens a stream.
    package func opening() -> JSON {
        chunk(delta: ["role": "assistant", "content": ""])
    }

    /// The chunks that one event becomes.
    package mutating func chunks(for event: GenerateEvent) -> [JSON] {
        record.take(event)
        var chunks: [JSON] = []
        if event.kind == .finished {
            finish = event
            if !isPlain {
                chunks.append(chunk(delta: ["content": .string(event.answer)]))
            }
            chunks.append(
                chunk(
                    delta: .object(JSONObject()), finish: Self.finishReason(event.reason),
                    revision: JSON.object(["event": "finished"]).merging(record.summary(event))))
        } else if isPlain, event.kind == .delta, event.segment?.kind == .answer {
            chunks.append(
                chunk(
                    delta: ["content": .string(event.text)], revision: RevisionRecord.typed(event)))
        } else if let revision = RevisionRecord.typed(event) {
            chunks.append(chunk(delta: .object(JSONObject()), revision: revision))
        }
        return chunks
    }

    /// The chunk with the usage that a caller may ask for; it has no choices.
    package func usageChunk() -> JSON {
        var chunk = chunk(delta: .null)
        chunk["choices"] = .array([])
        chunk["usage"] = Self.usage(finish?.usage)
        return chunk
    }

    private func chunk(delta: JSON, finish: String? = nil, revision: JSON? = nil) -> JSON {
        var chunk: JSON = [
            "id": .string(identifier), "object": "chat.completion.chunk",
            "created": .int(created), "model": .string(model),
            "choices": [
                [
                    "index": 0, "delta": delta, "logprobs": nil,
                    "finish_reason": finish.map { .string($0) } ?? .null,
                ]
            ],
        ]
        if let revision { chunk["revision"] = revision }
        return chunk
    }

    // MARK: Whole

    /// Takes an event of an answer that is sent whole.
    package mutating func take(_ event: GenerateEvent) {
        record.take(event)
        if event.kind == .finished { finish = event }
    }

    /// The whole answer, once finished.
    package func completion() -> JSON {
        let finish = finish ?? GenerateEvent()
        return [
            "id": .string(identifier), "object": "chat.completion", "created": .int(created),
            "model": .string(model),
            "choices": [
                [
                    "index": 0,
                    "message": [
                        "role": "assistant", "content": .string(finish.answer), "refusal": nil,
                    ],
                    "logprobs": nil, "finish_reason": .string(Self.finishReason(finish.reason)),
                ]
            ],
            "usage": Self.usage(finish.usage), "revision": record.summary(finish),
        ]
    }

    private static func usage(_ usage: Usage?) -> JSON {
        let usage = usage ?? Usage()
        return [
            "prompt_tokens": .int(usage.promptTokens),
            "completion_tokens": .int(usage.completionTokens),
            "total_tokens": .int(usage.promptTokens + usage.completionTokens),
        ]
    }

    private static func finishReason(_ reason: String) -> String {
        reason == "length" || reason == "budget" ? "length" : "stop"
    }
}

/// What the `revision` object of a response tells: the drafts, what was said of them, and the cost.
package struct RevisionRecord: Sendable {
    private struct Place: Hashable {
        let kind: SegmentKind
        let index: Int
    }

    private var segments: [Place: String] = [:]
    private var verdicts: [Int: Verdict] = [:]

    package init() {}

    package mutating func take(_ event: GenerateEvent) {
        guard let segment = event.segment else { return }
        let place = Place(kind: segment.kind, index: segment.index)
        switch event.kind {
        case .delta: segments[place, default: ""] += event.text
        case .segmentDone: if !event.text.isEmpty { segments[place] = event.text }
        case .verdict: verdicts[segment.index] = event.verdict
        case .segmentStarted, .usage, .finished, .unspecified, .unknown: break
        }
    }

    /// The drafts, first to last.
    package var drafts: [String] {
        var drafts = [text(.answer, 0) ?? ""]
        while let next = text(.revision, drafts.count - 1) { drafts.append(next) }
        return drafts
    }

    /// The feedback on each draft, first to last; the last draft may have none.
    package var feedbacks: [String] {
        var feedbacks: [String] = []
        while let next = text(.feedback, feedbacks.count) { feedbacks.append(next) }
        return feedbacks
    }

    package func verdict(_ index: Int) -> Verdict? { verdicts[index] }

    /// `{answer, revisions: [{feedback, verdict, text}], usage, stop_reason}`; the text of the last
    /// entry is null where its feedback found that no revision is needed.
    func summary(_ finish: GenerateEvent) -> JSON {
        let drafts = drafts
        let feedbacks = feedbacks
        let rounds = (0..<max(feedbacks.count, drafts.count - 1)).map { index -> JSON in
            [
                "feedback": feedbacks.indices.contains(index) ? .string(feedbacks[index]) : .null,
                "verdict": verdicts[index].map(Self.verdict) ?? .null,
                "text": index + 1 < drafts.count ? .string(drafts[index + 1]) : .null,
            ]
        }
        let usage = finish.usage ?? Usage()
        return [
            "answer": .string(drafts[0]), "revisions": .array(rounds),
            "count": .int(finish.revisions),
            "usage": [
                "answer_tokens": .int(usage.answerTokens),
                "feedback_tokens": .int(usage.feedbackTokens),
                "revision_tokens": .int(usage.revisionTokens),
                "verdict_tokens": .int(usage.verdictTokens),
            ],
            "stop_reason": .string(finish.reason),
        ]
    }

    /// One event as the field `revision` of a chunk tells it; nil for those that tell nothing there.
    static func typed(_ event: GenerateEvent) -> JSON? {
        var value: JSON
        switch event.kind {
        case .segmentStarted: value = ["event": "segment_started"]
        case .delta: value = ["event": "delta", "text": .string(event.text)]
        case .segmentDone: value = ["event": "segment_done", "text": .string(event.text)]
        case .verdict:
            value = ["event": "verdict", "verdict": event.verdict.map(verdict) ?? .null]
        case .usage, .finished, .unspecified, .unknown: return nil
        }
        if let segment = event.segment {
            value["segment"] = ["kind": .string(segment.kind.name), "index": .int(segment.index)]
        }
        value["sequence"] = .int(event.sequence)
        return value
    }

    private static func verdict(_ verdict: Verdict) -> JSON {
        [
            "needed": .bool(verdict.needed), "probability": .double(verdict.probability),
            "forced": .bool(verdict.forced),
        ]
    }

    private func text(_ kind: SegmentKind, _ index: Int) -> String? {
        segments[Place(kind: kind, index: index)]
    }
}

extension JSON {
    /// This object with the members of another behind its own.
    func merging(_ other: JSON) -> JSON {
        var merged = self
        for member in other.objectValue ?? JSONObject() { merged[member.key] = member.value }
        return merged
    }
}
