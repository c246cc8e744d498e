public import RPC
public import TLS

/// Makes a client, lets it connect while `body` runs, and closes it then.
///
/// - Parameter serverName: the name the server's certificate must bear, where the target is an address.
public func withClient<Result: Sendable>(
    _ target: Target, tls: TLSSettings?, serverName: String? = nil,
    _ body: (Client) async throws -> Result
) async throws -> Result {
    var configuration = ClientConfiguration(tls: tls)
    configuration.serverName = serverName
    // Calls with an affinity keep to one replica; others go to the less loaded of two.
    configuration.balancing = .consistent
    let client = Client(target, configuration)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        let result = try await body(client)
        group.cancelAll()
        return result
    }
}
