import Foundation
import RPC
import Synchronization
import Testing
import Wire

/// What a target's names lead to, and how a client follows.
@Suite(.timeLimit(.minutes(5)))
struct ResolutionTests {
    @Test func `a file of servers is read again each time`() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/hone-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
        let target = try Target(parsing: "file:" + path)
        #expect(target == .file(path: path))
        #expect(try Target(parsing: "file://" + path) == target)
        #expect(target.description == "file:" + path)
        var resolution = TargetResolution()
        let missing = await resolution.update(target)
        #expect(missing.addresses.isEmpty && missing.failure?.message.contains(path) == true)
        try write("# the replicas\n127.0.0.1:1\n\n unix:/run/a.sock # by socket\n")
        let first = await resolution.update(target)
        #expect(
            first.addresses.map(\.endpoint) == [
                .init(host: "127.0.0.1", port: 1), .init(path: "/run/a.sock"),
            ])
        #expect(first.failure == nil)
        // What cannot be read changes nothing.
        try write("127.0.0.1\n")
        let broken = await resolution.update(target)
        #expect(broken.addresses == first.addresses)
        #expect(broken.failure?.message.contains("HOST:PORT") == true)
        try write("127.0.0.1:2\n")
        let second = await resolution.update(target)
        #expect(second.addresses.map(\.endpoint.port) == [2])
    }

    /// Names with the addresses they have now; nil cannot be resolved.
    private final class Names: Sendable {
        let addresses = Mutex<[String: [String]?]>([:])
        let asked = Mutex<[String: Int]>([:])

        var resolver: NameResolver {
            NameResolver { host in
                self.asked.withLock { $0[host, default: 0] += 1 }
                guard let known = self.addresses.withLock({ $0[host] ?? nil }) else {
                    throw Status(.unavailable, "no name server")
                }
                return known
            }
        }

        func set(_ host: String, _ known: [String]?) { addresses.withLock { $0[host] = known } }
    }

    @Test func `a name that cannot be resolved keeps its addresses, and takes none from others`()
        async
    {
        let names = Names()
        let target = Target.addresses([
            .init(host: "a", port: 1), .init(host: "b", port: 2), .init(path: "/run/c.sock"),
        ])
        var resolution = TargetResolution(names.resolver)
        names.set("a", ["10.0.0.1", "fd00::1"])
        names.set("b", ["10.0.0.2"])
        let all = await resolution.update(target)
        #expect(all.failure == nil)
        #expect(
            all.addresses.map(\.endpoint.description) == [
                "10.0.0.1:1", "[fd00::1]:1", "10.0.0.2:2", "unix:/run/c.sock",
            ])
        names.set("a", nil)
        names.set("b", ["10.0.0.3"])
        let some = await resolution.update(target)
        #expect(some.failure?.message.contains("a cannot be resolved") == true)
        #expect(
            some.addresses.map(\.endpoint.description) == [
                "10.0.0.1:1", "[fd00::1]:1", "10.0.0.3:2", "unix:/run/c.sock",
            ])
        // Names that the target has no more are forgotten.
        let other = await resolution.update(.dns(host: "b", port: 2))
        #expect(other.addresses.map(\.endpoint.description) == ["10.0.0.3:2"])
    }

    @Test func `nobody waits for the slowest name`() async {
        let slow = Gate()
        let resolver = NameResolver { host in
            if host == "slow" { await slow.wait() }
            return [host == "slow" ? "10.0.0.9" : "10.0.0.1"]
        }
        var resolution = TargetResolution(resolver)
        var told: [[String]] = []
        let (addresses, _) = await resolution.update(
            .addresses([.init(host: "slow", port: 1), .init(host: "fast", port: 1)])
        ) { addresses in
            told.append(addresses.map(\.endpoint.host))
            slow.open()
        }
        #expect(told == [["10.0.0.1"]])
        #expect(addresses.map(\.endpoint.host) == ["10.0.0.9", "10.0.0.1"])
    }

    @Test func `the servers of a name are found by the timer, each of them`() async throws {
        let names = Names()
        names.set("inference", ["127.0.0.1"])
        let configuration = following(names, every: .milliseconds(10))
        try await runningAtOnePort(3) { port, _ in
            let client = Client(.dns(host: "inference", port: port), configuration)
            try await running(client) {
                try await client.untilReady(1)
                names.set("inference", ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
                try await client.untilReady(3)
                var seen: Set<[UInt8]> = []
                while seen.count < 3 {
                    seen.insert(try await client.unary(Echo.unary, Bytes([])).bytes)
                }
                names.set("inference", ["127.0.0.2"])
                try await until { client.servers.count == 1 }
                try await expectEqual(client.unary(Echo.unary, Bytes([])).bytes, [2])
            }
        }
    }

    @Test func `names are asked for again as soon as a server is lost`() async throws {
        let names = Names()
        names.set("inference", ["127.0.0.1"])
        // The timer alone would take longer than the test may.
        let configuration = following(names, every: .seconds(3600))
        try await runningAtOnePort(2) { port, servers in
            let client = Client(.dns(host: "inference", port: port), configuration)
            try await running(client) {
                try await client.untilReady(1)
                names.set("inference", ["127.0.0.2"])
                servers[0].drain()
                let options = CallOptions(deadline: .seconds(60), waitForReady: true)
                var answer: [UInt8] = []
                while answer != [2] {
                    answer = try await client.unary(
                        Echo.repeatable, Bytes([]), options: options
                    ).bytes
                }
                #expect(names.asked.withLock { $0["inference"] ?? 0 } >= 2)
            }
        }
    }

    private func following(_ names: Names, every interval: Duration) -> ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.names = names.resolver
        configuration.resolveInterval = interval
        return configuration
    }

    /// Runs servers that answer their number, from 1: at 127.0.0.1, 127.0.0.2 and so on, all at one
    /// port, as the addresses of a name have.
    private func runningAtOnePort(
        _ count: Int, _ body: @escaping @Sendable (Int, [Server]) async throws -> Void
    ) async throws {
        let first = Server(ServerConfiguration(), router: named(1))
        try await running(first) { port in
            let others = (2...count).map { number in
                Server(
                    ServerConfiguration(host: "127.0.0.\(number)", port: port),
                    router: named(UInt8(number)))
            }
            try await running(others) { _ in try await body(port, [first] + others) }
        }
    }
}
