import ArgumentParser
import RPC
import ServiceKit

/// `hone health …`: for people, and for the health checks of containers.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask a service whether it serves.",
        discussion: """
            Asks grpc.health.v1.Health, or with --http an HTTP server, which must answer with 2xx.
            Exit code 0: it serves; 1: it does not.
            Example: hone health 127.0.0.1:7401
            Example: hone health --http http://127.0.0.1:7410/healthz
            """)

    @Argument(help: ArgumentHelp("Where the service is.", valueName: "host:port"))
    var address: String?
    @Option(help: "A service of the server, such as hone.Data; the whole server if left out.")
    var service = ""
    @Option(help: ArgumentHelp("Asks an HTTP server instead.", valueName: "url"))
    var http: String?
    @Option(help: "Seconds to wait for the answer.")
    var timeout = 3.0
    @Flag(help: "Print the result as JSON.") var json = false
    @OptionGroup(title: "TLS") var tls: TLSOptions

    private struct Report: Encodable {
        var target: String
        var service: String?
        var serves = true
    }

    func validate() throws {
        if (address == nil) == (http == nil) {
            throw ValidationError("Give HOST:PORT or --http URL.")
        }
        if !(timeout > 0) { throw ValidationError("--timeout is \(timeout); give more than 0.") }
    }

    func run() async throws {
        let limit = Duration.seconds(timeout)
        if let http {
            let status = try await HTTPProbe.status(
                of: http, limit: limit, tls: try tls.settings())
            guard (200..<300).contains(status) else {
                throw CommandFailure("\(http) answers \(status)")
            }
            if json { return try JSONOutput.print(Report(target: http)) }
            print("\(http) serves: \(status)")
        } else if let address {
            let target = try Target(parsing: address)
            let status = try await withClient(target, tls: try tls.settings()) { client in
                try await client.health(
                    of: service, options: CallOptions(deadline: limit))
            }
            let name = service.isEmpty ? address : "\(service) at \(address)"
            guard status == .serving else {
                throw CommandFailure("\(name) is there but does not serve: \(status)")
            }
            if json {
                let part = service.isEmpty ? nil : service
                return try JSONOutput.print(Report(target: address, service: part))
            }
            print("\(name) serves")
        }
    }
}
