import ArgumentParser
import RPC
import Schema
import ServiceKit

/// `hone metrics`
struct MetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print what the services count, as Prometheus reads it.",
        discussion: """
            Every sample bears its service and its address. A service that does not answer is told of
            as hone_service_up 0. The gateway's /metrics gives the same to Prometheus.
            Example: hone metrics inference
            """)

    @Argument(help: "Only this service: data, trainer, inference and so on.")
    var service: String?
    @Option(help: "Seconds to wait for each service.") var timeout = 3.0
    @OptionGroup var connection: ServiceConnection

    func validate() throws {
        if let service, Self.services.allSatisfy({ $0.rawValue != service }) {
            let known = Self.services.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("There is no service \"\(service)\" with numbers: \(known).")
        }
        if !(timeout > 0) { throw ValidationError("--timeout is \(timeout); give more than 0.") }
    }

    /// The tutor is an HTTP server and has no numbers.
    private static let services = ServiceName.allCases.filter { $0 != .tutor }

    func run() async throws {
        var merged = MetricsText()
        for name in Self.services where service == nil || service == name.rawValue {
            let target = try connection.target(of: name)
            for address in try await addresses(of: target, name) {
                try await add(name, address, to: &merged)
            }
        }
        print(merged.text, terminator: "")
    }

    /// Every replica's; the target's own name where that leads nowhere.
    private func addresses(
        of target: Target, _ name: ServiceName
    ) async throws -> [Target.Address] {
        do {
            return try await target.addresses()
        } catch let status as Status {
            guard service == nil else { throw CommandFailure("\(name.rawValue): \(status)") }
            return target.endpoints.map { Target.Address(endpoint: $0, name: $0.host) }
        }
    }

    private func add(
        _ name: ServiceName, _ address: Target.Address, to merged: inout MetricsText
    ) async throws {
        let endpoint = address.endpoint
        let target = Target.addresses([endpoint])
        let labels = [("service", name.rawValue), ("instance", "\(endpoint)")]
        do {
            let limit = Duration.seconds(timeout)
            let reply = try await withClient(
                target, tls: try connection.tls.settings(), serverName: address.name
            ) { client in
                try await client.unary(
                    AdminAPI.metrics, MetricsRequest(), options: CallOptions(deadline: limit))
            }
            merged.add(MetricsText.isUp(true) + reply.text, labels: labels)
        } catch let status as Status {
            guard service == nil else {
                throw CommandFailure("\(name.rawValue) at \(endpoint): \(status)")
            }
            merged.add(MetricsText.isUp(false), labels: labels)
        }
    }
}
