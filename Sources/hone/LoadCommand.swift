import ArgumentParser
import Foundation
import RPC
import Schema
import ServiceKit
import Wire

/// `hone load`: a workflow of one step, so that the gateway knows what replicas to come shall load.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Let every inference replica load a model.",
        discussion: "Example: hone load runs/first")

    @Argument(
        help: "A folder on the services' machine, or a name registered with the data service.")
    var model: String
    @Flag(help: "Print the result as JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func run() async throws {
        let isFolder = FileManager.default.fileExists(atPath: model + "/config.json")
        let name = isFolder ? URL(filePath: model).standardizedFileURL.path : model
        let request = WorkflowRequest.with {
            $0.key = "load-" + String(UInt64.random(in: 0 ... .max), radix: 36)
            $0.definition = """
                parameters: {model: }
                steps:
                  - {name: load, kind: load, model: "${model}"}
                """
            $0.parameters = ["model": name]
        }
        try await connection.call(.gateway) { client in
            let state = try await client.unary(
                GatewayAPI.runWorkflow, request, options: CallOptions(deadline: .seconds(30)))
            try await WorkflowFollower(client: client, json: json).follow(state.id)
        }
    }
}
