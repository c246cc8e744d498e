import Corpus
import Revising

/// A finished chain as the record that is written.
enum ChainRecord {
    /// The original's keys in the original's order; strict adds `hone`: how the chain was made.
    static func json(
        _ chain: AugmentedChain, plan: AugmentationPlan, model: String, cost: AugmentationCost
    ) -> JSON {
        let drafts = chain.rounds.map { Draft(output: $0.draft, feedback: $0.feedback) }
        var json = Chain(
            iterationTruncated: chain.iterationTruncated, gold: chain.output,
            instruction: chain.instruction, input: chain.input, outputs: drafts
        ).json
        guard plan.mode == .strict else { return json }
        json["hone"] = [
            "mode": .string(plan.mode.rawValue),
            "procedure": .string(plan.procedure.rawValue),
            "prompts": 1,
            "teacher": .string(model),
            "flags": .array(chain.flags.map { .string($0.rawValue) }),
            "scores": .array(
                chain.rounds.map { round in
                    round.feedback.flatMap { Score.find(in: $0) }.map(JSON.double) ?? nil
                }),
            "prompt_tokens": .int(cost.promptTokens),
            "completion_tokens": .int(cost.completionTokens),
        ]
        return json
    }
}

/// What replies cost.
package struct AugmentationCost: Sendable, Equatable {
    package var replies = 0
    package var promptTokens = 0
    package var completionTokens = 0

    mutating func add(_ answer: TeacherAnswer) {
        replies += 1
        promptTokens += answer.promptTokens
        completionTokens += answer.completionTokens
    }
}
