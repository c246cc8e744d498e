import ArgumentParser
import ServiceKit

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Executables.name("hone-inference"),
        abstract: "Serves a model: answers with feedback and revisions, completions, scores.",
        discussion: "Example: hone-inference serve --model ~/models/selfee-7b",
        subcommands: [
            Serve.self, Generate.self, Score.self, Tokenize.self, Answer.self, Bench.self,
        ],
        defaultSubcommand: Serve.self)

    static func main() async {
        await runAndExit()
    }
}
