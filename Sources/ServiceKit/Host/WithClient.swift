public import RPC
public import TLS

/// Makes a client, lets it connect while `body` runs, and closes it then.
public func withClient<Result: Sendable>(
    _ target: Target, tls: TLSSettings?, _ body: (Client) async throws -> Result
) async throws -> Result {
    let client = Client(target, ClientConfiguration(tls: tls))
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        let result = try await body(client)
        group.cancelAll()
        return result
    }
}
