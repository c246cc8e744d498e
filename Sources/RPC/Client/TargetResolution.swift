import FoundationEssentials
import NIOPosix

/// Finds the addresses of names; replaced by tests.
package struct NameResolver: Sendable {
    /// Every numeric address of a name, each once.
    package var addresses: @Sendable (_ host: String) async throws -> [String]

    package init(_ addresses: @escaping @Sendable (_ host: String) async throws -> [String]) {
        self.addresses = addresses
    }

    /// The system's, asked on threads of their own, never on an event loop.
    package static let system = NameResolver { host in
        try await NIOThreadPool.singleton.runIfActive { try Resolver.addresses(of: host) }
    }
}

/// What the names of a target lead to, as far as is known.
///
/// All names are asked for at once. One that cannot be resolved keeps the addresses it had: a name
/// server that is away takes no server along.
package struct TargetResolution: Sendable {
    private let names: NameResolver
    /// What stood in the target's file when it was last read.
    private var written: [Target.Endpoint] = []
    private var known: [Target.Endpoint: [Target.Address]] = [:]

    package init(_ names: NameResolver = .system) {
        self.names = names
    }

    /// Asks anew.
    ///
    /// - Parameter progress: told all addresses known so far whenever an answer has come, so that
    ///   nobody waits for the slowest name.
    /// - Returns: all addresses, and why some name could not be resolved.
    package mutating func update(
        _ target: Target, _ progress: ([Target.Address]) -> Void = { _ in }
    ) async -> (addresses: [Target.Address], failure: Status?) {
        var failure: Status?
        let endpoints: [Target.Endpoint]
        do {
            endpoints = try await self.endpoints(of: target)
        } catch {
            failure = Status(describing: error)
            endpoints = written
        }
        known = known.filter { endpoints.contains($0.key) }
        for endpoint in endpoints {
            if let path = endpoint.path {
                known[endpoint] = [
                    .init(endpoint: .init(path: path), name: Target.Endpoint.socketName)
                ]
            }
        }
        let hosts = Set(endpoints.filter { $0.path == nil })
        let names = names
        await withTaskGroup(of: Answer.self) { group in
            for host in hosts {
                group.addTask { await Answer(to: host, from: names) }
            }
            var left = hosts.count
            if left < endpoints.count { progress(addresses(of: endpoints)) }
            for await answer in group {
                if let found = answer.addresses { known[answer.endpoint] = found }
                failure = answer.failure ?? failure
                left -= 1
                if left > 0 { progress(addresses(of: endpoints)) }
            }
        }
        return (addresses(of: endpoints), failure)
    }

    private func addresses(of endpoints: [Target.Endpoint]) -> [Target.Address] {
        endpoints.flatMap { known[$0] ?? [] }
    }

    private mutating func endpoints(of target: Target) async throws -> [Target.Endpoint] {
        guard case .file(let path) = target else { return target.endpoints }
        let bytes: Data
        do {
            bytes = try await NIOThreadPool.singleton.runIfActive {
                try Data(contentsOf: URL(filePath: path))
            }
        } catch {
            throw Status(.unavailable, "the file of servers \(path) cannot be read")
        }
        written = try Target.endpoints(inFile: String(decoding: bytes, as: UTF8.self))
        return written
    }

}

/// What became of one question.
private struct Answer: Sendable {
    let endpoint: Target.Endpoint
    var addresses: [Target.Address]?
    var failure: Status?

    init(to endpoint: Target.Endpoint, from names: NameResolver) async {
        self.endpoint = endpoint
        do {
            addresses = try await names.addresses(endpoint.host).map { address in
                Target.Address(
                    endpoint: .init(host: address, port: endpoint.port), name: endpoint.host)
            }
        } catch {
            let reason = (error as? Resolver.Failure)?.reason ?? "\(error)"
            failure = Status(.unavailable, "\(endpoint.host) cannot be resolved: \(reason)")
        }
    }
}
