/// What keeps a run from starting, resuming or going on.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A setting outside its range.
    case setting(name: String, problem: String)
    case noExamples
    /// An example longer than the model's positions, or with a foreign token.
    case example(index: Int, problem: String)
    /// Loss or gradient is no longer a number.
    case diverged(step: Int, loss: Double, gradientNorm: Double)
    /// A checkpoint that cannot be continued with these data or settings.
    case mismatch(checkpoint: String, what: String, stored: String, given: String)
    /// A checkpoint file that breaks its format.
    case checkpoint(path: String, problem: String)
    /// Two models that do not fit each other.
    case difference(name: String, problem: String)

    public var description: String {
        switch self {
        case .setting(let name, let problem):
            "\(name) \(problem)"
        case .noExamples:
            "there are no examples to learn from"
        case .example(let index, let problem):
            "example \(index): \(problem)"
        case .diverged(let step, let loss, let gradientNorm):
            "step \(step): loss \(loss), gradient norm \(gradientNorm): lower the learning rate"
        case .mismatch(let checkpoint, let what, let stored, let given):
            "\(checkpoint): was made with \(what) \(stored), not \(given);"
                + " give the same or start anew in another folder"
        case .checkpoint(let path, let problem):
            "\(path): not a checkpoint that can be continued: \(problem)"
        case .difference(let name, let problem):
            "\(name): \(problem)"
        }
    }
}
