import ArgumentParser
import RPC
import Schema
import ServiceKit

@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hone-data",
        abstract:
            "Owns datasets with their versions, artifacts by hash, and the registry of models.",
        discussion: "Example: hone-data serve --data-directory ~/.hone/data",
        subcommands: [Serve.self, MergeFiles.self], defaultSubcommand: Serve.self)

    static func main() async {
        await runAndExit()
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve until told to end.",
        discussion: "Example: hone-data serve --listen 127.0.0.1:7401 --data-directory ~/.hone/data"
    )

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        let settings = try options.settings(for: .data)
        var host = ServiceHost(settings)
        var router = Router()
        router.register(DataHandler(store: try DataStore(folder: settings.dataDirectory)))
        host.serve(router)
        try await host.run()
    }
}
