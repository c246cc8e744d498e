import Foundation
import RPC
import Synchronization
import TLS
import TestKit
import Testing
import Wire

/// Certificates that are replaced while a server runs.
@Suite(.timeLimit(.minutes(5)))
struct CertificateReloadTests {
    private func replace(_ files: Certificates, _ name: String, by other: String) throws {
        for ending in ["pem", "key"] {
            let bytes = try Data(contentsOf: URL(filePath: files.path("\(other).\(ending)")))
            try bytes.write(to: URL(filePath: files.path("\(name).\(ending)")), options: .atomic)
        }
    }

    @Test func `new connections use the new certificate, open ones go on`() async throws {
        let files = try Certificates()
        let reloads = Mutex<[TLSError?]>([])
        var configuration = ServerConfiguration(
            tls: try files.settings("server", authority: nil))
        configuration.certificatePollInterval = .milliseconds(5)
        configuration.certificatesReloaded = { error in reloads.withLock { $0.append(error) } }
        let settings = try files.settings(nil, authority: "authority")
        /// A client that expects a certificate of this name.
        @Sendable func client(_ port: Int, _ name: String) -> Client {
            var configuration = ClientConfiguration(tls: settings)
            configuration.serverName = name
            return Client(.dns(host: "127.0.0.1", port: port), configuration)
        }
        try await running(Server(configuration, router: Echo.router)) { port in
            let before = client(port, "localhost")
            try await running(before) {
                try await expectEqual(before.unary(Echo.unary, Bytes([1])), Bytes([1]))
                // First a key that does not belong to the certificate: the old pair stays.
                let key = try Data(contentsOf: URL(filePath: files.path("elsewhere.key")))
                try key.write(to: URL(filePath: files.path("server.key")), options: .atomic)
                while reloads.withLock({ $0.isEmpty }) {
                    try await Task.sleep(for: .milliseconds(1))
                }
                #expect(
                    reloads.withLock { $0.first }
                        == .keyDoesNotMatch(
                            key: files.path("server.key"), certificate: files.path("server.pem")))
                let meanwhile = client(port, "localhost")
                try await running(meanwhile) {
                    try await expectEqual(meanwhile.unary(Echo.unary, Bytes([2])), Bytes([2]))
                }
                try self.replace(files, "server", by: "elsewhere")
                while reloads.withLock({ $0.last != .some(nil) }) {
                    try await Task.sleep(for: .milliseconds(1))
                }
                let after = client(port, "elsewhere.test")
                try await running(after) {
                    try await expectEqual(after.unary(Echo.unary, Bytes([3])), Bytes([3]))
                }
                try await expectEqual(before.unary(Echo.unary, Bytes([4])), Bytes([4]))
            }
        }
    }

    @Test func `a client shows its new certificate without being made anew`() async throws {
        let files = try Certificates()
        // It begins with a certificate of an authority that the server does not trust.
        for ending in ["pem", "key"] {
            let name = files.path("own.\(ending)")
            let bytes = try Data(contentsOf: URL(filePath: files.path("stranger.\(ending)")))
            try bytes.write(to: URL(filePath: name))
        }
        let server = ServerConfiguration(
            tls: try files.settings("server", authority: "authority"))
        let reloaded = Gate()
        var configuration = ClientConfiguration(
            tls: try files.settings("own", authority: "authority"))
        configuration.certificatePollInterval = .milliseconds(5)
        configuration.certificatesReloaded = { error in if error == nil { reloaded.open() } }
        let client = configuration
        try await running(Server(server, router: Echo.router)) { port in
            let client = Client(.dns(host: "127.0.0.1", port: port), client)
            try await running(client) {
                let refused = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
                #expect(refused.code == .unavailable)
                try self.replace(files, "own", by: "client")
                await reloaded.wait()
                let options = CallOptions(waitForReady: true)
                try await expectEqual(
                    client.unary(Echo.unary, Bytes([1]), options: options), Bytes([1]))
            }
        }
    }

    @Test func `files that do not change are not read again`() throws {
        let files = try Certificates()
        let context = try TLSFiles(.server, try files.settings("server", authority: nil))
        #expect(try !context.refresh())
        try replace(files, "server", by: "elsewhere")
        #expect(try context.refresh())
        #expect(try !context.refresh())
        try FileManager.default.removeItem(atPath: files.path("server.pem"))
        #expect(throws: TLSError.self) { try context.refresh() }
        // What is known to be broken is not said again.
        #expect(try !context.refresh())
    }
}
