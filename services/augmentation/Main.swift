import ArgumentParser
import ServiceKit

/// The augmentation service, and its work without a service.
@main
struct AugmentationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Executables.name("hone-augmentation"),
        abstract: "Lets a teacher write answer, feedback and revision chains.",
        discussion: """
            Example: hone-augmentation serve --data-service 127.0.0.1:7401
            """,
        subcommands: [ServeCommand.self, RunCommand.self], defaultSubcommand: ServeCommand.self)

    static func main() async {
        await runAndExit()
    }
}
