import ArgumentParser
import Foundation
import ServiceKit

/// Where `hone up` keeps everything, unless told otherwise.
struct DirectoryOption: ParsableArguments {
    @Option(help: ArgumentHelp("Where all services keep their state.", valueName: "folder"))
    var dataDirectory: String?

    var services: LocalServices {
        LocalServices(
            directory: dataDirectory ?? HoneEnvironment.process["DATA_DIRECTORY"]
                ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".hone").path)
    }
}

/// How many processes, and where the page is.
struct ScaleOptions: ParsableArguments {
    @Option(help: "Inference processes.") var replicas = 2
    @Option(help: "The port of the page and the API; 0 takes a free one.") var httpPort = 7400

    private static let mostReplicas = 64

    func validate() throws {
        guard (1...Self.mostReplicas).contains(replicas) else {
            throw ValidationError(
                "--replicas is \(replicas); give a number of 1 to \(Self.mostReplicas)")
        }
        guard (0...65535).contains(httpPort) else {
            throw ValidationError("--http-port is \(httpPort); give a port of 0 to 65535")
        }
    }
}

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start all services on this machine.",
        discussion: "Example: hone up --data-directory ~/.hone --replicas 2")

    @OptionGroup var directory: DirectoryOption
    @OptionGroup var scale: ScaleOptions
    @OptionGroup(title: "TLS") var tls: TLSOptions
    @Flag(help: "Print where everything serves as JSON.") var json = false

    func run() async throws {
        var plan = LocalServices.Plan()
        plan.replicas = scale.replicas
        plan.httpPort = scale.httpPort
        _ = try tls.settings(serving: true)
        for (flag, value) in [
            ("--tls-certificate", tls.tlsCertificate), ("--tls-key", tls.tlsKey),
            ("--tls-authority", tls.tlsAuthority),
        ] {
            if let value { plan.common += [flag, value] }
        }
        let services = directory.services
        try await services.start(plan) { StandardError.write("started \($0)\n") }
        let entries = try services.entries()
        if json {
            try JSONOutput.print(entries)
        } else if let page = entries["gateway"]?.http {
            print("page and API: \(page)")
        }
    }
}

struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "End the services that hone up has started.",
        discussion: "Example: hone down --data-directory ~/.hone")

    @OptionGroup var directory: DirectoryOption
    @Flag(help: "Print the names of the services that were ended as JSON.") var json = false

    func run() async throws {
        var ended: [String] = []
        try await directory.services.stop {
            StandardError.write("ended \($0)\n")
            ended.append($0)
        }
        if json { try JSONOutput.print(ended) }
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell which services run, and where.",
        discussion: "Example: hone status --json")

    @OptionGroup var directory: DirectoryOption
    @Flag(help: "Print as JSON.") var json = false

    struct Row: Encodable {
        var name: String
        var pid: Int32
        var address: String
        var http: String?
        var running: Bool
    }

    func run() async throws {
        let rows = try directory.services.entries().sorted { $0.key < $1.key }.map {
            Row(
                name: $0.key, pid: $0.value.pid, address: $0.value.address, http: $0.value.http,
                running: LocalServices.isAlive($0.value))
        }
        if json { return try JSONOutput.print(rows) }
        if rows.isEmpty { print("no service was started in \(directory.services.directory)") }
        for row in rows {
            let state = row.running ? "runs" : "gone"
            print(
                row.name.padding(toLength: 14, withPad: " ", startingAt: 0), state,
                row.http ?? row.address, "pid \(row.pid)")
        }
        if rows.contains(where: { !$0.running }) { throw ExitCode.failure }
    }
}
