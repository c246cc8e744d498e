import ArgumentParser
import FoundationEssentials
import RPC
import Schema
import ServiceKit
import Wire

/// `hone workflow run`
struct WorkflowRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Start a workflow and follow it to its end.",
        discussion: """
            The file is YAML or JSON. A workflow started under the key of one that failed or was \
            cancelled goes on where that one ended.

            Example: hone workflow run selfee.yaml --set steps=300 --key monday
            """)

    @Argument(help: ArgumentHelp("The workflow's definition.", valueName: "file"))
    var file: String
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A parameter of the workflow.", valueName: "name=value"))
    var parameters: [String] = []
    @Option(help: "Names this run: asked for again under the same key, it is the same run.")
    var key: String?
    @Flag(help: "Print the id and leave the workflow to the gateway.") var detach = false
    @Flag(help: "Print the result as JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func validate() throws {
        for parameter in parameters where !parameter.contains("=") {
            throw ValidationError("--set is \"\(parameter)\"; write NAME=VALUE")
        }
    }

    func run() async throws {
        var request = WorkflowRequest()
        do {
            request.definition = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw CommandFailure("\(file) cannot be read; give a file of YAML or JSON")
        }
        request.key = key ?? "run-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        request.parameters["directory"] = FileManager.default.currentDirectoryPath
        for parameter in parameters {
            let parts = parameter.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            request.parameters[String(parts[0])] = String(parts[1])
        }
        // The tutor of hone up takes a free port, which no definition can know.
        if request.parameters["tutor"] == nil, request.definition.contains("${tutor}"),
            let tutor = try connection.directory.services.entries()["tutor"],
            LocalServices.isAlive(tutor), let address = tutor.http
        {
            request.parameters["tutor"] = address + "/v1"
        }
        let asked = request
        try await connection.call(.gateway) { client in
            let state = try await client.unary(
                GatewayAPI.runWorkflow, asked, options: CallOptions(deadline: .seconds(30)))
            if detach {
                return json ? try JSONOutput.print(WorkflowRow(state)) : print(state.id)
            }
            StandardError.write("workflow \(state.id)\n")
            try await WorkflowFollower(client: client, json: json).follow(state.id)
        }
    }
}

/// Shows a workflow as it goes on, then its result.
struct WorkflowFollower {
    let client: Client
    let json: Bool

    func follow(_ id: String) async throws {
        let bar = ProgressBar("workflow")
        let isTerminal = StandardError.isTerminal
        let state = try await RemoteJobs.gateway(client).follow(id) { event in
            switch event.kind {
            case .log:
                bar.finish()
                StandardError.write(event.message + "\n")
            case .progress where isTerminal:
                bar.update(event.progress, of: event.total, event.message)
            default: break
            }
        }
        bar.finish()
        guard state.status == .succeeded else {
            throw CommandFailure(
                "workflow \(id) has \(state.status.name): "
                    + (state.error.isEmpty ? state.message : state.error)
                    + "; hone workflow steps \(id) tells more")
        }
        if json { return print(state.result) }
        let steps = try await client.unary(GatewayAPI.steps, JobReference.with { $0.id = id })
        for step in steps.steps { print("\(step.name)  \(step.result)") }
    }
}
