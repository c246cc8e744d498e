import ArgumentParser
import ServiceKit

/// The augmentation service, and its work without a service.
@main
struct AugmentationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hone-augmentation",
        abstract: "Lets a teacher write answer, feedback and revision chains.",
        subcommands: [ServeCommand.self, RunCommand.self], defaultSubcommand: ServeCommand.self)

    static func main() async {
        await runAndExit()
    }
}
