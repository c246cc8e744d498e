import ArgumentParser
import RPC
import Schema
import ServiceKit

/// `hone rpc …`: looks at any server and calls it by hand.
struct RPCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc",
        abstract: "Ask any server what it answers, and call it with JSON.",
        discussion: """
            The server tells the schema itself, so this works with any service at any address.
            Example: hone rpc list data
            Example: hone rpc describe 127.0.0.1:7401 hone.Data/Stats
            Example: hone rpc call data hone.Data/Stats --data '{"name": "alpaca"}'
            """,
        subcommands: [RPCList.self, RPCDescribe.self, RPCCall.self, RPCMetrics.self])
}

/// Where a server is, and how long it may take.
struct RPCServer: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "HOST:PORT, unix:PATH, or a service that runs here, such as data.",
            valueName: "server"))
    var address: String
    @Option(help: "How long the call may take, such as 500ms, 5s or 2m.")
    var deadline: TimeSpan = TimeSpan(.seconds(30))
    @OptionGroup var connection: ServiceConnection

    func connected<Result: Sendable>(
        _ body: (Client) async throws -> Result
    ) async throws -> Result {
        let service = ServiceName(rawValue: address)
        let target = try service.map(connection.target(of:)) ?? Target(parsing: address)
        return try await withClient(target, tls: try connection.tls.settings(), body)
    }

    /// What the server answers.
    func describe(_ client: Client) async throws -> Description {
        do {
            return try await client.unary(
                AdminAPI.describe, DescribeRequest(),
                options: CallOptions(deadline: deadline.duration))
        } catch let status as Status where status.code == .unimplemented {
            throw CommandFailure("\(address) does not describe itself: it has no hone.Admin")
        }
    }

    /// What the server answers, its texts taken apart.
    func schema(_ client: Client) async throws -> (description: Description, text: SchemaText) {
        let description = try await describe(client)
        let sources = description.schemas.map { (name: $0.package, text: $0.text) }
        return (description, try SchemaText(parsing: sources))
    }
}

/// A length of time as people write it.
struct TimeSpan: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration
    let description: String

    init(_ duration: Duration) {
        self.duration = duration
        description = "\(duration / .seconds(1))s"
    }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let units = ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "": 1]
        guard let number = Double(digits), number > 0, number < 1e9,
            let unit = units[String(argument.dropFirst(digits.count))]
        else { return nil }
        duration = .seconds(number * unit)
        description = argument
    }
}

/// `hone rpc list`
struct RPCList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the calls that a server answers.",
        discussion: "Example: hone rpc list 127.0.0.1:7401 --json")

    @OptionGroup var server: RPCServer
    @Flag(help: "Print the result as JSON.") var json = false

    private struct Report: Encodable {
        var hash: String
        var methods: [Entry]
    }
    private struct Entry: Encodable {
        var path: String
        var kind: String?
        var request: String?
        var response: String?
    }

    func run() async throws {
        let (description, text) = try await server.connected { client in
            try await server.schema(client)
        }
        let calls = Dictionary(uniqueKeysWithValues: text.calls.map { ($0.path, $0) })
        let entries = description.paths.map { path in
            Entry(
                path: String(path.dropFirst()), kind: calls[path].map { "\($0.kind)" },
                request: calls[path]?.request, response: calls[path]?.response)
        }
        if json { return try JSONOutput.print(Report(hash: description.hash, methods: entries)) }
        for entry in entries {
            guard let kind = entry.kind, let request = entry.request, let response = entry.response
            else {
                print("\(entry.path)  no schema")
                continue
            }
            print("\(entry.path)  \(kind)  \(request) -> \(response)")
        }
    }
}

/// `hone rpc describe`
struct RPCDescribe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Show the schema of a server, of a service, a call, a message or an enumeration.",
        discussion: """
            A message may be named without its package where that is unambiguous.
            Example: hone rpc describe 127.0.0.1:7401
            Example: hone rpc describe 127.0.0.1:7401 hone.data.MergeRequest
            """)

    @OptionGroup var server: RPCServer
    @Argument(
        help: ArgumentHelp("Such as hone.Data, hone.Data/Stats, MergeRequest.", valueName: "name"))
    var name: String?

    func run() async throws {
        let (description, text) = try await server.connected { client in
            try await server.schema(client)
        }
        guard let name else {
            print("# hash \(description.hash)")
            for source in description.schemas { print("\n" + source.text, terminator: "") }
            return
        }
        guard let found = text.describe(name) else {
            throw CommandFailure(
                "\(server.address) has no service, call, message or enumeration \"\(name)\"; "
                    + "hone rpc list \(server.address) shows what it has")
        }
        print(found, terminator: "")
    }
}

/// `hone rpc metrics`
struct RPCMetrics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print what a server counts, as Prometheus reads it.",
        discussion: "Example: hone rpc metrics 127.0.0.1:7401")

    @OptionGroup var server: RPCServer

    func run() async throws {
        let reply = try await server.connected { client in
            try await client.unary(
                AdminAPI.metrics, MetricsRequest(),
                options: CallOptions(deadline: server.deadline.duration))
        }
        print(reply.text, terminator: "")
    }
}
