import ArgumentParser
import Chat
import Jobs
import RPC
import Schema
import ServiceKit

/// Serves the calls of `hone.Augmentation`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve augmentation jobs.",
        discussion: """
            Example:
              hone-augmentation serve --listen 127.0.0.1:7402 --data-service 127.0.0.1:7401
            """)

    @OptionGroup var options: ServiceOptions
    @OptionGroup(title: "Other services") var connections: ConnectionOptions

    func run() async throws {
        let settings = try options.settings(for: .augmentation)
        var host = ServiceHost(settings)
        let data = DataServiceLink(try host.client(of: .data, connections))
        let keys = try APIKeys.read { HoneEnvironment.process.foreign($0) }
        let runner = AugmentationRunner(
            folder: settings.path("runs"), link: data, keys: keys)
        let jobs = try JobTable(path: settings.path("jobs.sqlite"))
        var router = Router()
        router.register(AugmentationHandler(jobs: JobCalls(jobs), runner: runner))
        host.serve(router)
        host.add("jobs") { try await jobs.run([AugmentationRunner.kind: runner]) }
        try await host.run()
    }
}
