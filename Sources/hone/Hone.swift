import ArgumentParser
import ServiceKit

/// The command people type.
@main
struct Hone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hone",
        abstract: "Build, serve and judge language models that revise themselves.",
        discussion: """
            Example: hone demo --quick
            Every command has --help with an example. Exit codes: 0 done, 1 failed, 64 wrong usage.
            """,
        subcommands: [
            UpCommand.self, DownCommand.self, StatusCommand.self, DemoCommand.self,
            WorkflowCommand.self, LoadCommand.self, ChatCommand.self, DataCommand.self,
            Augment.self, Train.self, Diff.self, Answer.self, Evaluate.self, Generate.self,
            Score.self, Tokenize.self,
            BenchCommand.self, HealthCommand.self, MetricsCommand.self, RPCCommand.self,
        ])

    static func main() async {
        await runAndExit()
    }
}
