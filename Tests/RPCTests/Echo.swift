import RPC
import Synchronization
import Testing
import Wire

/// A message of plain bytes, up to 16 MiB.
struct Bytes: WireMessage {
    static let wireName = "test.Bytes"
    static let maximumBytes = 16 << 20
    var bytes: [UInt8] = []

    init() {}

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(count: Int) {
        bytes = [UInt8](repeating: 0x5A, count: count)
    }

    init(decoding bytes: [UInt8]) throws(WireError) {
        self.bytes = bytes
    }

    mutating func code(with coder: inout WireCoder) {}

    func encoded() -> [UInt8] { bytes }
}

/// The calls the tests make.
enum Echo {
    static let unary = Method<Bytes, Bytes>(service: "test.Echo", name: "Unary", kind: .unary)
    static let repeatable = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Repeatable", kind: .unary, idempotent: true)
    static let collect = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Collect", kind: .clientStreaming)
    static let expand = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Expand", kind: .serverStreaming)
    static let chat = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Chat", kind: .bidirectional)

    /// Answers: the same, the same, the sum of all, each byte as a message, each message again.
    static var router: Router {
        var router = Router()
        router.unary(unary) { request, _ in request }
        router.unary(repeatable) { request, _ in request }
        router.clientStreaming(collect) { requests, _ in
            var all: [UInt8] = []
            for try await request in requests { all += request.bytes }
            return Bytes(all)
        }
        router.serverStreaming(expand) { request, responses, _ in
            for byte in request.bytes { try await responses.write(Bytes([byte])) }
        }
        router.bidirectional(chat) { requests, responses, _ in
            for try await request in requests { try await responses.write(request) }
        }
        return router
    }
}

/// Runs a server and a client for as long as `body` runs.
func withServer<Result: Sendable>(
    _ router: Router, _ configuration: ServerConfiguration = ServerConfiguration(),
    client: ClientConfiguration = ClientConfiguration(),
    _ body: @escaping @Sendable (Client, Server, Int) async throws -> Result
) async throws -> Result {
    let server = Server(configuration, router: router)
    return try await running(server) { port in
        let client = Client(.dns(host: "127.0.0.1", port: port), client)
        return try await running(client) { try await body(client, server, port) }
    }
}

/// Runs a server for as long as `body` runs.
func running<Result: Sendable>(
    _ server: Server, _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            try await server.run()
            return nil
        }
        group.addTask { try await body(try await server.listeningPort()) }
        return try await firstResult(of: &group)
    }
}

/// Keeps a client's connections for as long as `body` runs.
func running<Result: Sendable>(
    _ client: Client, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            try await client.run()
            return nil
        }
        group.addTask { try await body() }
        return try await firstResult(of: &group)
    }
}

private func firstResult<Result>(
    of group: inout ThrowingTaskGroup<Result?, any Error>
) async throws -> Result {
    defer { group.cancelAll() }
    while let result = try await group.next() {
        if let result { return result }
    }
    throw Status(.internal, "the test's body gave no result")
}

/// The status a call ends with; `ok` where it succeeds.
func status(of body: () async throws -> Void) async -> Status {
    do {
        try await body()
        return .ok
    } catch {
        return Status(describing: error)
    }
}

/// Something one task does once and others wait for.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until the gate is open or the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen && !Task.isCancelled { state.waiters.append(continuation) }
                    return state.isOpen || Task.isCancelled
                }
                if isOpen { continuation.resume() }
            }
        } onCancel: {
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }
}

/// Compares what an awaited call gave.
func expectEqual<Value: Equatable>(
    _ actual: Value, _ expected: Value, at location: SourceLocation = #_sourceLocation
) {
    #expect(actual == expected, sourceLocation: location)
}

/// A number that tasks add to.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add(_ number: Int = 1) { count.withLock { $0 += number } }

    /// Waits until the count, which must reach `minimum`, has not moved for a while.
    func rest(atLeast minimum: Int) async throws {
        var (last, still) = (-1, 0)
        while still < 20 || last < minimum {
            try await Task.sleep(for: .milliseconds(5))
            let now = value
            still = now == last ? still + 1 : 0
            last = now
        }
    }
}
