import ArgumentParser
import ServiceKit

@main
struct HoneTutor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hone-tutor",
        abstract:
            "The built-in teacher and judge: drills, and an OpenAI-compatible server for them.",
        discussion: """
            Example:
              hone-tutor serve --listen 127.0.0.1:7410
              hone-tutor drill --family sort --count 1000 --form alpaca > drills.json
            """,
        subcommands: [ServeCommand.self, DrillCommand.self], defaultSubcommand: ServeCommand.self)

    static func main() async {
        await runAndExit()
    }
}
