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
        abstract: "Let a teacher write chains for a file of instructions.", helpNames: [])
    static let executable = "hone-augmentation"
    static let verb = "run"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Train: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fine-tune a model on a file of chains.", helpNames: [])
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
        abstract: "Answer a file of questions, with revisions.", helpNames: [])
    static let executable = "hone-inference"
    static let verb = "answer"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Generate: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a prompt with a model.", helpNames: [])
    static let executable = "hone-inference"
    static let verb = "generate"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Score: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Log-probabilities of a sequence of tokens.", helpNames: [])
    static let executable = "hone-inference"
    static let verb = "score"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct Tokenize: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn texts into token ids.", helpNames: [])
    static let executable = "hone-inference"
    static let verb = "tokenize"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

/// `hone evaluate …` judges; `hone evaluate aggregate|match …` counts.
struct Evaluate: ForwardedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a judge compare two answer files, or aggregate reviews.", helpNames: [])
    static let executable = "hone-evaluator"
    static let verb = "judge"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    mutating func run() async throws {
        let own = ["aggregate", "match", "judge"]
        let verbs = arguments.first.map(own.contains) == true ? [] : [Self.verb]
        try Executables.become(Self.executable, verbs + arguments)
    }
}
