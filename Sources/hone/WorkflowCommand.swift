import ArgumentParser
import RPC
import Schema
import ServiceKit
import Wire

/// `hone workflow …`: jobs composed by the gateway.
struct WorkflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workflow",
        abstract: "Run, watch, list and cancel workflows.",
        discussion: """
            Example: hone workflow run services/gateway/workflows/selfee.yaml --set steps=300
            """,
        subcommands: [
            WorkflowRun.self, WorkflowWatch.self, WorkflowSteps.self, WorkflowList.self,
            WorkflowCancel.self,
        ])
}

/// `hone workflow watch`
struct WorkflowWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow a workflow to its end.",
        discussion: "Example: hone workflow watch mf3k2a…")

    @Argument(help: "The workflow's id.") var id: String
    @Flag(help: "Print the result as JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func run() async throws {
        try await connection.call(.gateway) { client in
            try await WorkflowFollower(client: client, json: json).follow(id)
        }
    }
}

/// `hone workflow steps`
struct WorkflowSteps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "steps", abstract: "Tell where each step of a workflow stands.",
        discussion: "Example: hone workflow steps mf3k2a… --json")

    @Argument(help: "The workflow's id.") var id: String
    @Flag(help: "Print as JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    struct Row: Encodable {
        var name: String
        var kind: String
        var status: String
        var seconds: Double
        var job: String
        var result: String
        var error: String

        init(_ step: StepState) {
            name = step.name
            kind = step.kind
            status = step.status.name
            let end = max(step.finishedAtMilliseconds, step.startedAtMilliseconds)
            seconds = Double(end - step.startedAtMilliseconds) / 1000
            job = step.job
            result = step.result
            error = step.error
        }

        var text: String {
            let head = "\(name)  \(kind)  \(status)  \(seconds) s"
            return error.isEmpty ? head : head + "  \(error)"
        }
    }

    func run() async throws {
        let list = try await connection.call(.gateway) { client in
            try await client.unary(GatewayAPI.steps, JobReference.with { $0.id = id })
        }
        let rows = list.steps.map(Row.init)
        if json { return try JSONOutput.print(rows) }
        for row in rows { print(row.text) }
    }
}

/// `hone workflow list`
struct WorkflowList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List workflows, the newest first.",
        discussion: "Example: hone workflow list --status running --json")

    @Option(help: "Only those queued, running, succeeded, failed or cancelled.")
    var status: String?
    @Option(help: "At most so many.") var limit = 20
    @Flag(help: "Print as JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func validate() throws {
        if let status, JobStatus(name: status)?.number ?? 0 == 0 {
            throw ValidationError("--status is \"\(status)\", which no workflow can be")
        }
    }

    func run() async throws {
        var query = JobQuery()
        query.status = status.flatMap(JobStatus.init(name:)) ?? .unspecified
        query.limit = limit
        let asked = query
        let list = try await connection.call(.gateway) { client in
            try await client.unary(GatewayAPI.list, asked)
        }
        let rows = list.jobs.map(WorkflowRow.init)
        if json { return try JSONOutput.print(rows) }
        if rows.isEmpty { print("no workflow") }
        for row in rows { print(row.text) }
    }
}

/// `hone workflow cancel`
struct WorkflowCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a workflow and the jobs its steps wait for.",
        discussion: "Example: hone workflow cancel mf3k2a…")

    @Argument(help: "The workflow's id.") var id: String
    @Flag(help: "Print as JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func run() async throws {
        let state = try await connection.call(.gateway) { client in
            try await client.unary(GatewayAPI.cancel, JobReference.with { $0.id = id })
        }
        if json { return try JSONOutput.print(WorkflowRow(state)) }
        print(WorkflowRow(state).text)
    }
}

/// A workflow as it is printed.
struct WorkflowRow: Encodable {
    var id: String
    var key: String
    var status: String
    var progress: Int
    var total: Int
    var message: String
    var error: String

    init(_ state: JobState) {
        id = state.id
        key = state.key
        status = state.status.name
        progress = state.progress
        total = state.total
        message = state.message
        error = state.error
    }

    var text: String {
        "\(id)  \(status)  \(progress)/\(total)  \(error.isEmpty ? message : error)"
    }
}
