import NIOPosix

extension Target {
    /// One of the addresses a host of the target has.
    package struct Address: Sendable, Equatable {
        package let endpoint: Endpoint
        /// The host as the target names it, which its certificate must bear.
        package let name: String
    }

    /// The addresses the target's names have now.
    ///
    /// For calls that go to every server, instead of to the one that is least busy. A name that
    /// cannot be resolved is passed over, as long as another can.
    package func addresses() async throws -> [Address] {
        let (found, failure) = await resolved()
        if found.isEmpty, let failure { throw failure }
        return found
    }

    /// The addresses found, and why some name could not be resolved.
    ///
    /// Names are asked for on threads of their own, never on an event loop.
    func resolved() async -> (addresses: [Address], failure: Status?) {
        var found: [Address] = []
        var failure: Status?
        for endpoint in endpoints {
            guard endpoint.path == nil else {
                found.append(Address(endpoint: endpoint, name: "localhost"))
                continue
            }
            do {
                let addresses = try await NIOThreadPool.singleton.runIfActive {
                    try Resolver.addresses(of: endpoint.host)
                }
                found += addresses.map {
                    Address(
                        endpoint: Endpoint(host: $0, port: endpoint.port), name: endpoint.host)
                }
            } catch let error as Resolver.Failure {
                failure = Status(
                    .unavailable, "\(endpoint.host) cannot be resolved: \(error.reason)")
            } catch {
                failure = Status(.unavailable, "\(endpoint.host) cannot be resolved: \(error)")
            }
        }
        return (found, failure)
    }
}
