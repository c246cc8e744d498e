import ArgumentParser
import RPC
import ServiceKit

/// How a verb reaches the services: by flag, by variable, where `hone up` has started them, or at their
/// usual ports.
struct ServiceConnection: ParsableArguments {
    @OptionGroup(title: "Services") var connections: ConnectionOptions
    @OptionGroup var directory: DirectoryOption
    @OptionGroup(title: "TLS") var tls: TLSOptions

    /// Where a service is; all its replicas, where it has some.
    func target(of service: ServiceName) throws -> Target {
        if let address = connections.address(of: service) { return try Target(parsing: address) }
        let started = try directory.services.entries()
            .filter { name, entry in
                (name == service.rawValue || name.hasPrefix(service.rawValue + "-"))
                    && LocalServices.isAlive(entry)
            }
            .sorted { $0.key < $1.key }.map(\.value.address)
        return try started.isEmpty
            ? connections.target(of: service) : Target(parsing: started.joined(separator: ","))
    }

    /// Runs `body` with a client of a service.
    func call<Result: Sendable>(
        _ service: ServiceName, _ body: (Client) async throws -> Result
    ) async throws -> Result {
        do {
            return try await withClient(
                try target(of: service), tls: try tls.settings(), body)
        } catch let status as Status where status.code == .failedPrecondition {
            // The service is there, and says itself what it lacks.
            throw CommandFailure("\(service.rawValue): \(status.message)")
        } catch let status as Status where status.code == .unavailable {
            throw CommandFailure(
                "\(service.rawValue) cannot be reached at \(try target(of: service)): "
                    + "\(status.message); start the services with hone up, or give \(service.flag)")
        }
    }
}
