import ArgumentParser
import ServiceKit

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hone-inference",
        abstract: "Serves a model: answers with feedback and revisions, completions, scores.",
        subcommands: [
            Serve.self, Generate.self, Score.self, Tokenize.self, Answer.self, Bench.self,
        ],
        defaultSubcommand: Serve.self)

    static func main() async {
        await runAndExit()
    }
}
