import Foundation
import NIOCore
import NIOPosix
import RPC
import Synchronization
import Testing
import Wire

/// Where a server listens, and what it leaves behind.
@Suite(.timeLimit(.minutes(5)))
struct ListeningTests {
    /// A folder for socket files, removed with the test.
    private final class Folder: Sendable {
        let path: String

        init() throws {
            path = "/tmp/hone-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var names: [String] {
            get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
        }
    }

    /// Runs a server until `body` is done.
    private func serving(
        _ configuration: ServerConfiguration, _ router: Router = Echo.router,
        _ body: ([ServerAddress]) async throws -> Void
    ) async throws {
        let server = Server(configuration, router: router)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body(try await server.listeningAddresses())
            server.drain()
            try await group.waitForAll()
        }
    }

    /// Leaves a socket file at which nobody listens, as a server does that is killed.
    private static func leaveBehind(_ path: String) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: path + "-").get()
        // Under its own name it would be removed.
        try FileManager.default.moveItem(atPath: path + "-", toPath: path)
        try await channel.close().get()
    }

    /// Whether a new connection gets an answer.
    private static func isServed(_ port: Int) async -> Bool {
        var answer: String?
        do {
            try await RawClient.connected(to: port) { client in
                let stream = try await client.call("/test.Echo/Unary", [])
                answer = try await client.status(of: stream)
            }
        } catch {
            // Closed under its request.
        }
        return answer == "0"
    }

    private func echo(_ client: RawClient) async throws {
        let stream = try await client.call("/test.Echo/Unary", [1, 2, 3])
        try await expectEqual(client.status(of: stream), "0")
        #expect(client.answers[stream]?.byteCount == 8)
    }

    @Test func `a unix socket is its owner's alone, and gone with its server`() async throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        let peers = Mutex<[String]>([])
        var router = Router()
        router.unary(Echo.unary) { request, context in
            peers.withLock { $0.append(context.peer.address) }
            return request
        }
        try await serving(ServerConfiguration(unixPath: path), router) { addresses in
            #expect(addresses == [.unix(path: path)])
            try expectEqual(folder.names, ["s"])
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            try await RawClient.connected(toUnix: path) { try await echo($0) }
        }
        try expectEqual(folder.names, [])
        let process = ProcessInfo.processInfo.processIdentifier
        let user = getuid()
        #expect(peers.withLock { $0 } == ["unix:\(path), process \(process) of user \(user)"])
    }

    @Test func `a socket file that nobody answers is replaced`() async throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        try await Self.leaveBehind(path)
        try expectEqual(folder.names, ["s"])
        var configuration = ServerConfiguration(unixPath: path)
        configuration.unixSocketMode = 0o660
        try await serving(configuration) { _ in
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o660)
            try await RawClient.connected(toUnix: path) { try await echo($0) }
        }
        try expectEqual(folder.names, [])
    }

    @Test func `another server's socket and other files are left alone`() async throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        try await serving(ServerConfiguration(unixPath: path)) { _ in
            let second = Server(ServerConfiguration(unixPath: path), router: Router())
            let error = await #expect(throws: ServerError.self) { try await second.run() }
            #expect(error == .socketInUse(path: path))
            try await RawClient.connected(toUnix: path) { try await echo($0) }
        }
        try Data("text".utf8).write(to: URL(filePath: path))
        let third = Server(ServerConfiguration(unixPath: path), router: Router())
        let error = await #expect(throws: ServerError.self) { try await third.run() }
        #expect(error == .notASocket(path: path))
        try expectEqual(folder.names, ["s"])
        let long = Server(
            ServerConfiguration(unixPath: String(repeating: "x", count: 101)), router: Router())
        let tooLong = await #expect(throws: ServerError.self) { try await long.run() }
        #expect(tooLong?.description.contains("1 to 100 bytes") == true)
    }

    @Test func `a server that replaced another's file keeps its own`() async throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        try await serving(ServerConfiguration(unixPath: path)) { _ in
            // As if it had been taken for left over.
            try FileManager.default.removeItem(atPath: path)
            try await Self.leaveBehind(path)
        }
        try expectEqual(folder.names, ["s"])
    }

    @Test func `one server listens in several places`() async throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        var configuration = ServerConfiguration()
        configuration.addresses.append(.unix(path: path))
        configuration.addresses.append(.host("127.0.0.1", port: 0))
        try await serving(configuration) { addresses in
            let ports = addresses.compactMap(\.port)
            #expect(ports.count == 2 && Set(ports).count == 2 && !ports.contains(0))
            for port in ports { try await RawClient.connected(to: port) { try await echo($0) } }
            try await RawClient.connected(toUnix: path) { try await echo($0) }
        }
    }

    @Test func `a server listens in all of its places or in none`() async throws {
        let folder = try Folder()
        let path = folder.path + "/s"
        var configuration = ServerConfiguration(unixPath: path)
        configuration.addresses.append(.unix(path: folder.path))
        let server = Server(configuration, router: Router())
        let error = await #expect(throws: ServerError.self) { try await server.run() }
        #expect(error == .notASocket(path: folder.path))
        try expectEqual(folder.names, [])
    }

    @Test func `one address may have so many connections and no more`() async throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnectionsPerAddress = 2
        // Longer than the test may take: nothing but the limit closes a connection.
        configuration.handshakeTimeout = .seconds(600)
        try await serving(configuration) { addresses in
            let port = try #require(addresses.first?.port)
            try await RawClient.connected(to: port) { first in
                try await echo(first)
                try await RawClient.connected(to: port) { second in
                    try await echo(second)
                    let isThirdServed = await Self.isServed(port)
                    #expect(!isThirdServed)
                    try await echo(first)
                }
                // A place that was left can be taken again, once the server has noticed.
                while await !Self.isServed(port) {}
            }
        }
    }

    @Test func `a peer that sends PINGs too often is sent away`() async throws {
        var configuration = ServerConfiguration()
        configuration.pingBurst = 3
        configuration.minimumPingInterval = .seconds(3600)
        try await serving(configuration) { addresses in
            let port = try #require(addresses.first?.port)
            try await RawClient.connected(to: port) { client in
                for number in 0..<4 { try await client.ping(UInt64(number)) }
                while try await client.read() {}
                #expect(client.goAway == "too_many_pings")
            }
            try await RawClient.connected(to: port) { client in
                for number in 0..<3 { try await client.ping(UInt64(number)) }
                try await echo(client)
                // What the server sends forgives the PINGs before.
                for number in 0..<3 { try await client.ping(UInt64(number)) }
                try await echo(client)
                #expect(client.goAway == nil)
            }
        }
    }
}
