import NIOPosix

extension Target {
    /// One endpoint for each address the target's names have now.
    ///
    /// For calls that go to every server, instead of to the one that is least busy.
    package func addresses() async throws -> [Endpoint] {
        var found: [Endpoint] = []
        for endpoint in endpoints {
            do {
                let addresses = try await NIOThreadPool.singleton.runIfActive {
                    try Resolver.addresses(of: endpoint.host)
                }
                found += addresses.map { Endpoint(host: $0, port: endpoint.port) }
            } catch let error as Resolver.Failure {
                throw Status(
                    .unavailable, "\(endpoint.host) cannot be resolved: \(error.reason)")
            }
        }
        return found
    }
}
