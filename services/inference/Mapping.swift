import Generation
import Revising
import Schema

// Messages into the engine's types and back.

extension Revising.RevisionPolicy {
    init(_ message: Schema.RevisionPolicy) throws(InferenceError) {
        let mode: Mode =
            switch message.mode {
            case .off: .off
            case .autonomous: .autonomous
            case .enforced: .enforced
            case .unknown(let number):
                throw .badRequest(cause: "revision mode \(number) is unknown; use 0, 1 or 2")
            }
        if let threshold = message.threshold, !(0...1).contains(threshold) {
            throw .badRequest(cause: "the threshold is \(threshold); it must be from 0 to 1")
        }
        if let maximum = message.maximum, maximum < message.minimum {
            throw .badRequest(
                cause: "at most \(maximum) revisions are fewer than at least"
                    + " \(message.minimum); raise the maximum")
        }
        let rollback: Rollback =
            switch message.rollback {
            case .verdict: .verdict
            case .feedback: .feedback
            case .unknown(let number):
                throw .badRequest(cause: "rollback \(number) is unknown; use 0 or 1")
            }
        self.init(
            mode: mode, minimum: message.minimum, maximum: message.maximum,
            maximumTokens: message.maximumTokens > 0 ? message.maximumTokens : nil,
            time: message.milliseconds > 0 ? .milliseconds(message.milliseconds) : nil,
            stopOnFixpoint: message.stopOnFixpoint, threshold: message.threshold ?? 0.5,
            rollback: rollback)
    }
}

extension Generation.Sampling {
    init(_ message: Schema.Sampling) throws(GenerationError) {
        // No mass at all leaves the likeliest token alone.
        self.init(
            temperature: message.temperature, topP: message.topP == 0 ? 1 : message.topP ?? 1,
            topK: message.topP == 0 ? 1 : message.topK, presencePenalty: message.presencePenalty,
            frequencyPenalty: message.frequencyPenalty,
            seed: message.seed.map { UInt64(truncatingIfNeeded: $0) })
        try check()
    }
}

extension ChainRequest {
    /// The conversation, or the instruction, as the prompt that the model was trained on.
    init(_ message: GenerateRequest) throws {
        self.init(
            prompt: try Self.prompt(message), policy: try Revising.RevisionPolicy(message.policy),
            sampling: try Generation.Sampling(message.sampling))
        segmentTokens = message.sampling.maximumTokens > 0 ? message.sampling.maximumTokens : nil
        stops = message.sampling.stop
    }

    private static func prompt(_ message: GenerateRequest) throws(InferenceError) -> String {
        guard !message.messages.isEmpty else {
            guard !message.instruction.isEmpty else {
                throw .badRequest(
                    cause: "there is nothing to answer; give messages or an instruction")
            }
            return Prompt.text(instruction: message.instruction, input: message.input)
        }
        var system = ""
        var turns: [Prompt.Turn] = []
        var pending: String?
        for (index, turn) in message.messages.enumerated() {
            switch (turn.role, pending) {
            case ("system", nil) where turns.isEmpty:
                system += (system.isEmpty ? "" : "\n\n") + turn.content
            case ("user", nil): pending = turn.content
            case ("user", let earlier?): pending = earlier + "\n\n" + turn.content
            case ("assistant", let instruction?):
                turns.append(Prompt.Turn(instruction: instruction, answer: turn.content))
                pending = nil
            default:
                throw .badRequest(
                    cause: "message \(index) has the role “\(turn.role)” out of order; begin with"
                        + " system, then alternate user and assistant")
            }
        }
        guard let pending else {
            throw .badRequest(cause: "the last message is not the user's; end with a question")
        }
        return Prompt.text(
            conversation: turns, instruction: pending, input: message.input, system: system)
    }
}

extension SegmentReference {
    init(_ segment: Segment) {
        self.init()
        kind =
            switch segment.kind {
            case .answer: .answer
            case .feedback: .feedback
            case .revision: .revision
            }
        index = segment.index
    }
}

extension Usage {
    init(_ usage: ChainUsage) {
        self.init()
        promptTokens = usage.prompt
        completionTokens = usage.completion
        answerTokens = usage.answer
        feedbackTokens = usage.feedback
        revisionTokens = usage.revision
        verdictTokens = usage.verdict
    }
}

extension GenerateEvent {
    init(_ event: ChainEvent, sequence: Int) {
        self.init()
        self.sequence = sequence
        switch event {
        case .started(let segment):
            kind = .segmentStarted
            self.segment = SegmentReference(segment)
        case .delta(let segment, let text):
            kind = .delta
            self.segment = SegmentReference(segment)
            self.text = text
        case .done(let segment, let text):
            kind = .segmentDone
            self.segment = SegmentReference(segment)
            self.text = text
        case .verdict(let segment, let committed):
            kind = .verdict
            self.segment = SegmentReference(segment)
            var verdict = Schema.Verdict()
            verdict.needed = committed.isNeeded
            verdict.probability = committed.probability
            verdict.forced = committed.isForced
            verdict.rewritten = committed.rewritten
            self.verdict = verdict
        case .usage(let usage):
            kind = .usage
            self.usage = Usage(usage)
        case .finished(let result):
            kind = .finished
            usage = Usage(result.usage)
            reason = result.reason.rawValue
            answer = result.answer
            wholeGeneration = result.wholeGeneration
            revisions = result.revisions
        }
    }
}
