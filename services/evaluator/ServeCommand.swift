import ArgumentParser
import Chat
import Jobs
import RPC
import Schema
import ServiceKit

/// Serves the calls of `hone.Evaluator`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve evaluations.",
        discussion: """
            Example:
              hone-evaluator serve --listen 127.0.0.1:7405 --data-service 127.0.0.1:7401
            """)

    @OptionGroup var options: ServiceOptions
    @OptionGroup(title: "Other services") var connections: ConnectionOptions

    func run() async throws {
        let settings = try options.settings(for: .evaluator)
        var host = ServiceHost(settings)
        let artifacts = ArtifactStore(try host.client(of: .data, connections))
        let runner = EvaluationRunner(
            folder: settings.path("reviews"), artifacts: artifacts,
            keys: try APIKeys.read { HoneEnvironment.process.foreign($0) })
        let jobs = try JobTable(path: settings.path("jobs.sqlite"))
        var router = Router()
        router.register(
            EvaluatorHandler(jobs: JobCalls(jobs), runner: runner, artifacts: artifacts))
        host.serve(router)
        host.add("jobs") { try await jobs.run([EvaluationRunner.kind: runner]) }
        try await host.run()
    }
}
