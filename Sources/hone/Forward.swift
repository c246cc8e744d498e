import ArgumentParser
import ServiceKit

/// A verb that the executable of a service carries out: this process becomes that one.
protocol ForwardedCommand: AsyncParsableCommand {
    /// The executable beside this one.
    static var executable: String { get }
    /// Its subcommand.
    static var verb: String { get }
    var arguments: [String] { get set }
}

extension ForwardedCommand {
    mutating func run() async throws {
        try Executables.become(Self.executable, [Self.verb] + arguments)
    }
}

struct Augment: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a teacher write chains for a file of instructions.",
        discussion: """
            Example: hone augment --input-path alpaca.json --output-path chains.jsonl \
            --fail-path failed.jsonl --endpoint http://127.0.0.1:7410/v1 --model tutor
            """, helpNames: [])
    static let executable = "hone-augmentation"
    static let verb = "augment"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Train: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fine-tune a model on a file of chains.",
        discussion: """
            Example: hone train --model_name_or_path models/llama --data_path chains.jsonl \
            --output_dir runs/first
            """, helpNames: [])
    static let executable = "hone-trainer"
    static let verb = "train"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Diff: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make or apply the difference between a tuned model and its base.",
        helpNames: [])
    static let executable = "hone-trainer"
    static let verb = "diff"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Answer: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer a file of questions, with revisions.",
        discussion: """
            Example: hone answer --model-path runs/first --model-id first --question-file question.jsonl \
            --answer-file answer.jsonl --max-num-revisions 3
            """, helpNames: [])
    static let executable = "hone-inference"
    static let verb = "answer"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Generate: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a prompt with a model.",
        discussion: """
            Example: hone generate --model runs/first --prompt "Once upon a time" --json
            """, helpNames: [])
    static let executable = "hone-inference"
    static let verb = "generate"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Score: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Log-probabilities of a sequence of tokens.",
        discussion: """
            Example: hone score --model runs/first --ids 1,2,3 --json
            """, helpNames: [])
    static let executable = "hone-inference"
    static let verb = "score"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Tokenize: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn texts into token ids.",
        discussion: """
            Example: hone tokenize --tokenizer runs/first --jsonl texts.jsonl
            """, helpNames: [])
    static let executable = "hone-inference"
    static let verb = "tokenize"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

/// `hone evaluate …` judges; `hone evaluate aggregate|match …` counts.
struct Evaluate: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a judge compare two answer files, or aggregate reviews.",
        discussion: """
            Example: hone evaluate aggregate --model-first a_vs_b.jsonl --opponent-first b_vs_a.jsonl --json
            """, helpNames: [])
    static let executable = "hone-evaluator"
    static let verb = "evaluate"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}
