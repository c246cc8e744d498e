import Foundation
import RPC
import TLS
import TestKit
import Testing

/// How a client reaches a server: what the conformance suite is run over.
enum Transport: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case http2 = "HTTP/2"
    case tls = "HTTP/2 over TLS"
    case unix = "a unix socket"
    case inProcess = "in process"

    var testDescription: String { rawValue }

    /// Runs a server and a client for as long as `body` runs.
    func serving<Result: Sendable>(
        _ router: Router, _ configuration: ServerConfiguration = ServerConfiguration(),
        client: ClientConfiguration = ClientConfiguration(),
        _ body: @escaping @Sendable (Client) async throws -> Result
    ) async throws -> Result {
        try await servingLife(router, configuration, client: client) { client, _ in
            try await body(client)
        }
    }

    /// The same for who ends the server: it may return before `body` does.
    func servingLife<Result: Sendable>(
        _ router: Router, _ configuration: ServerConfiguration = ServerConfiguration(),
        client: ClientConfiguration = ClientConfiguration(),
        _ body: @escaping @Sendable (Client, RunningServer) async throws -> Result
    ) async throws -> Result {
        var (configuration, clientConfiguration) = (configuration, client)
        var certificates: Certificates?
        let path = "/tmp/hone-\(UUID().uuidString.prefix(12))"
        switch self {
        case .http2: break
        case .tls:
            let files = try Certificates()
            configuration.tls = try files.settings("server", authority: nil)
            clientConfiguration.tls = try files.settings(nil, authority: "authority")
            certificates = files
        case .unix: configuration.addresses = [.unix(path: path)]
        case .inProcess: configuration.addresses = []
        }
        let server = Server(configuration, router: router)
        let target: Target? =
            switch self {
            case .http2, .tls: nil
            case .unix: try Target(parsing: "unix:" + path)
            case .inProcess: nil
            }
        defer { withExtendedLifetime(certificates) {} }
        let life = RunningServer(server)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await life.run()
                return nil
            }
            group.addTask { [self, clientConfiguration] in
                let addresses = try await server.listeningAddresses()
                let client =
                    if self == .inProcess {
                        Client(inProcess: server, clientConfiguration)
                    } else {
                        Client(
                            target ?? .dns(host: "127.0.0.1", port: addresses[0].port ?? 0),
                            clientConfiguration)
                    }
                let result = try await running(client) { try await body(client, life) }
                server.drain()
                return result
            }
            // Both end by themselves: the drain makes the server return.
            var result: Result?
            while let next = try await group.next() { result = next ?? result }
            return try #require(result)
        }
    }
}

/// A server whose life a test may cut short.
final class RunningServer: Sendable {
    let server: Server
    private let stop = Gate()
    let hasEnded = Gate()

    init(_ server: Server) {
        self.server = server
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.server.run() }
            group.addTask { await self.stop.wait() }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
        hasEnded.open()
    }

    /// Cancels the server's task.
    func cancel() { stop.open() }
}
