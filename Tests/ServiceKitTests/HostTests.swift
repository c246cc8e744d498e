import Logging
import RPC
import ServiceKit
import Synchronization
import TestKit
import Testing
import Wire

/// A service's process, within this one.
@Suite(.timeLimit(.minutes(5)))
struct HostTests {
    struct Nothing: WireMessage {
        static let wireName = "test.Nothing"
        mutating func code(with coder: inout WireCoder) {}
    }

    static let call = Method<Nothing, Nothing>(service: "test.Kit", name: "Call", kind: .unary)

    @Test func `a service says that it serves only once it was announced`() async throws {
        let folder = try TemporaryFolder()
        let settings = ServiceSettings(
            service: .data, listen: ListenAddress(host: "127.0.0.1", port: 0),
            dataDirectory: folder.path, readyFile: folder.path + "/ready.json", logLevel: .critical)
        var host = ServiceHost(settings)
        var router = Router()
        router.unary(Self.call) { request, _ in request }
        host.serve(router)
        let early = Mutex<[Health.ServingStatus]>([])
        host.beforeReady { ready in
            let seen = try await Self.statuses(at: ready.address)
            early.withLock { $0 = seen }
        }
        let running = host
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await running.run(signals: false) }
            group.addTask {
                while true {
                    if let ready = try ReadyFile.read(from: folder.path + "/ready.json") {
                        let seen = try await Self.statuses(at: ready.address)
                        #expect(seen == [.serving, .serving])
                        return
                    }
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            try await group.next()
            group.cancelAll()
        }
        #expect(early.withLock { $0 } == [.notServing, .notServing])
    }

    /// What the server says of itself and of its one service.
    private static func statuses(at address: String) async throws -> [Health.ServingStatus] {
        try await withClient(try Target(parsing: address), tls: nil) { client in
            [try await client.health(), try await client.health(of: "test.Kit")]
        }
    }
}
