import ArgumentParser
import ServiceKit

/// The evaluator, and its work without a service.
@main
struct EvaluatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Executables.name("hone-evaluator"),
        abstract: "Lets a judge compare two models' answers, and counts what came of it.",
        discussion: "Example: hone-evaluator serve --data-service 127.0.0.1:7401",
        subcommands: [
            ServeCommand.self, EvaluateCommand.self, JudgeCommand.self, AggregateCommand.self,
            MatchCommand.self,
        ], defaultSubcommand: ServeCommand.self)

    static func main() async {
        await runAndExit()
    }
}

/// What `hone evaluate` runs: judges unless told otherwise.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Judge two answer files; or count reviews, or compare with known answers.",
        discussion: """
            Example:
              hone evaluate -q question.jsonl -a ours.jsonl chatgpt.jsonl -o review.jsonl --both-orders
              hone evaluate aggregate --model-first a_vs_b.jsonl --opponent-first b_vs_a.jsonl --json
            """,
        subcommands: [JudgeCommand.self, AggregateCommand.self, MatchCommand.self],
        defaultSubcommand: JudgeCommand.self)
}
