import Logging
import RPC
import Schema
import ServiceKit
import Synchronization
import Testing
import Wire

/// What a service logs of its calls.
@Suite(.timeLimit(.minutes(5)))
struct CallLogTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    static let call = Method<Empty, Empty>(service: "test.Logged", name: "Call", kind: .unary)
    static let trace = "0af7651916cd43dd8448eb211c80319c"

    /// The lines that one call leaves, which fails with a status where one is given.
    private func lines(_ level: Logger.Level, failing status: Status? = nil) async throws
        -> [String]
    {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in
            LineLog(service: "test", level: level, write: lines.add)
        }
        var router = Router()
        router.unary(Self.call) { request, _ in
            if let status { throw status }
            return request
        }
        var configuration = ServerConfiguration()
        configuration.interceptors = [Tracing(), CallLog(logger)]
        let server = Server(configuration, router: router)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let port = try await server.listeningPort()
            try await withClient(.dns(host: "127.0.0.1", port: port), tls: nil) { client in
                let header = "00-\(Self.trace)-b7ad6b7169203331-01"
                do {
                    _ = try await client.unary(
                        Self.call, Empty(),
                        options: CallOptions(metadata: ["traceparent": header]))
                } catch {
                    #expect(Status(describing: error).code == status?.code)
                }
            }
            server.drain()
        }
        return lines.all
    }

    @Test func `a call's line bears its code and its trace`() async throws {
        let lines = try await lines(.debug)
        #expect(lines.count == 1)
        for part in [
            " debug ", "event=call", "code=ok", "method=/test.Logged/Call",
            "trace_id=\(Self.trace)", "parent_id=b7ad6b7169203331", "span_id=",
        ] {
            #expect(lines.first?.contains(part) == true, "\(part)")
        }
    }

    @Test func `only faults of the service itself are told to those who ask for little`()
        async throws
    {
        #expect(try await lines(.info) == [])
        #expect(try await lines(.info, failing: Status(.notFound, "nothing")) == [])
        let fault = try await lines(.info, failing: Status(.internal, "out of order"))
        #expect(fault.count == 1)
        #expect(fault.first?.contains(" warning ") == true)
        #expect(fault.first?.contains("reason=\"out of order\"") == true)
        #expect(fault.first?.contains("trace_id=\(Self.trace)") == true)
    }
}
