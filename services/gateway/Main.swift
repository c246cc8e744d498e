import ArgumentParser
import Jobs
import RPC
import Schema
import ServiceKit

/// `hone-gateway`
@main
struct HoneGateway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hone-gateway",
        abstract: "Serves the OpenAI-compatible API, the web page and workflows.",
        discussion: """
            Example:
              hone-gateway --http-listen 127.0.0.1:7400 --data-service 127.0.0.1:7401 \\
                --inference-service inference:7404
            """,
        subcommands: [Serve.self], defaultSubcommand: Serve.self)

    static func main() async {
        await runAndExit()
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves until it is told to end.",
        discussion: "Example: hone-gateway serve --http-listen 127.0.0.1:7400")

    @OptionGroup var service: ServiceOptions
    @OptionGroup(title: "Gateway") var gateway: GatewayOptions
    @OptionGroup(title: "Other services") var connections: ConnectionOptions

    func run() async throws {
        let settings = try service.settings(for: .gateway)
        var host = ServiceHost(settings)
        try GatewayParts.add(
            to: &host, settings: try gateway.settings(), connections: connections)
        try await host.run()
    }
}
