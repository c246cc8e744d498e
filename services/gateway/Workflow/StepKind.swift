/// What a step can do, and what may be written for it.
package enum StepKind: String, Sendable, CaseIterable {
    case `import`, upload, drill, merge, split, stats, export, download
    case augment, train, load, answer, judge, match, aggregate

    /// The fields that must be there, and those that may.
    private var fields: (needed: [String], possible: [String]) {
        switch self {
        case .import: (["dataset", "format", "path"], ["label", "englishOnly", "options"])
        case .upload: (["path"], ["mediaType", "limit"])
        case .drill:
            (["family", "count"], ["size", "alphabet", "base", "seed", "dataset", "excluding"])
        case .merge: (["dataset", "inputs"], [])
        case .split: (["dataset", "names"], ["fraction", "count", "seed"])
        case .stats: (["dataset"], [])
        case .export: (["dataset", "path"], ["format"])
        case .download: (["artifact", "path"], [])
        case .augment:
            (
                ["dataset", "output", "procedure", "endpoint"],
                ["mode", "limit", "concurrency"]
            )
        case .train:
            (
                ["dataset", "outputModel"],
                ["baseModel", "configuration", "tokenizer", "vocabularySize"]
                    + TrainStep.parameters
            )
        case .load: (["model"], [])
        case .answer:
            (
                ["questions"],
                ["model", "modelId", "revision", "sampling", "concurrency", "limit"]
            )
        case .judge:
            (
                ["questions", "answers", "opponent", "endpoint"],
                [
                    "prompts", "reviewers", "bothOrders", "maximumTokens", "modelName",
                    "opponentName", "concurrency",
                ]
            )
        case .match: (["answers", "expected"], [])
        case .aggregate: (["modelFirst"], ["opponentFirst", "questions"])
        }
    }

    /// Refuses fields that are missing or not known, before anything runs.
    func check(_ names: [String], step: String) throws {
        let (needed, possible) = fields
        if let missing = needed.first(where: { !names.contains($0) }) {
            throw GatewayError.badStep(
                step: step, reason: "a step of kind \(rawValue) needs \"\(missing)\"")
        }
        if let extra = names.first(where: { !needed.contains($0) && !possible.contains($0) }) {
            let known = (needed + possible).joined(separator: ", ")
            throw GatewayError.badStep(
                step: step,
                reason:
                    "\"\(extra)\" means nothing to a step of kind \(rawValue); it knows \(known)")
        }
    }

    /// What carries the step out.
    var action: any StepAction {
        switch self {
        case .import: ImportStep()
        case .upload: UploadStep()
        case .drill: DrillStep()
        case .merge: MergeStep()
        case .split: SplitStep()
        case .stats: StatsStep()
        case .export: ExportStep()
        case .download: DownloadStep()
        case .augment: AugmentStep()
        case .train: TrainStep()
        case .load: LoadStep()
        case .answer: AnswerStep()
        case .judge: JudgeStep()
        case .match: MatchStep()
        case .aggregate: AggregateStep()
        }
    }
}
