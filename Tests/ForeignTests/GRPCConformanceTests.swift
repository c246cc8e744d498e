import RPC
import Synchronization
import TestKit
import Testing
import Wire

/// What gRPC promises beyond the plain call, both ways with grpcio.
@Suite(
    .enabled(if: Tool.hasGRPC, "grpcio is not there (HONE_VENV)"), .timeLimit(.minutes(5)),
    .serialized)
struct GRPCConformanceTests {
    @Test func `a grpcio client finds our server conforming`() async throws {
        let counts = Conformance.Counts()
        let server = Server(ServerConfiguration(), router: Conformance.router(counts))
        counts.server.withLock { $0 = server }
        try await Echo.alongside({
            try await server.run()
            // A drained server has ended before the client has said what it thinks of that.
            try await Task.sleep(for: .seconds(240))
        }) {
            let port = try await server.listeningPort()
            let output = try await Tool.runAside(
                Tool.python, Tool.script("conformance_client.py"), "127.0.0.1:\(port)")
            #expect(output == "ok\n")
        }
    }

    @Test func `a grpcio client waits for our server to come`() async throws {
        // An address of this test's own: nobody else takes the port that has become free.
        let host = "127.83.21.7"
        let first = Server(ServerConfiguration(host: host), router: Router())
        let port = try await Echo.alongside({ try await first.run() }) {
            try await first.listeningPort()
        }
        let router = Conformance.router(Conformance.Counts())
        let server = Server(ServerConfiguration(host: host, port: port), router: router)
        try await Echo.alongside({
            // The client has begun to look for it by then.
            try await Task.sleep(for: .seconds(1))
            try await server.run()
        }) {
            let output = try await Tool.runAside(
                Tool.python, Tool.script("conformance_client.py"), "\(host):\(port)", "wait")
            #expect(output == "ok\n")
        }
    }

    /// Runs a grpcio server and a client of ours for as long as `body` runs.
    private func withForeign(
        _ arguments: [String] = [], client: ClientConfiguration = ClientConfiguration(),
        _ body: @escaping @Sendable (Client) async throws -> Void
    ) async throws {
        let server = try ForeignServer(
            Tool.python, arguments: [Tool.script("conformance_server.py")] + arguments)
        let client = Client(.dns(host: "127.0.0.1", port: server.port), client)
        try await Echo.alongside({ try await client.run() }) { try await body(client) }
        try server.stop()
    }

    @Test func `our client gets metadata, errors and large messages of a grpcio server`()
        async throws
    {
        try await withForeign { client in
            try await Self.metadata(client)
            for code in Status.Code.allCases where code != .ok {
                for text in ["", "100 % déjà vu", "日本語 😀", "a\nb", "%41"] {
                    let status = await #expect(throws: Status.self) {
                        try await client.unary(
                            Conformance.method("Fail"), Bytes("\(code.rawValue) \(text)"))
                    }
                    #expect(status?.code == code)
                    #expect(status?.message == text)
                }
            }
            for size in [1 << 20, 4 << 20, 16 << 20] {
                let message = Bytes([UInt8](repeating: 5, count: size))
                let answer = try await client.unary(Conformance.echo, message)
                #expect(answer == message)
            }
            let long = await #expect(throws: Status.self) {
                try await client.unary(
                    Conformance.echo, Bytes([UInt8](repeating: 5, count: (16 << 20) + 1)))
            }
            #expect(long?.code == .resourceExhausted)
        }
    }

    private static func metadata(_ client: Client) async throws {
        var sent = Metadata()
        try sent.add("1", for: "x-a")
        try sent.add([0, 255, 44], for: "x-b-bin")
        try sent.add("2", for: "x-a")
        try sent.add([7], for: "x-b-bin")
        let streamed = Conformance.method("Metadata", .serverStreaming)
        let options = CallOptions(metadata: sent)
        try await client.serverStreaming(streamed, Bytes([]), options: options) { answers in
            let headers = try await answers.headers()
            for try await _ in answers {}
            for got in [headers, answers.trailers] {
                #expect(got.values(of: "x-a") == ["1", "2"])
                let bytes = got.entries.filter { $0.name == "x-b-bin" }.map(\.value)
                #expect(bytes == [.binary([0, 255, 44]), .binary([7])])
            }
        }
    }

    @Test func `deadlines and cancellation of our client end a grpcio handler`() async throws {
        try await withForeign { client in
            let late = await #expect(throws: Status.self) {
                try await client.unary(
                    Conformance.sleep, Bytes("60000"),
                    options: CallOptions(deadline: .milliseconds(500)))
            }
            #expect(late?.code == .deadlineExceeded)
            let begun = try await Self.number(client, "Begun")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await client.unary(Conformance.sleep, Bytes("60000")) }
                while try await Self.number(client, "Begun") == begun {
                    try await Task.sleep(for: .milliseconds(10))
                }
                group.cancelAll()
                let ended = await group.nextResult()
                #expect(throws: Status.self) { try ended?.get() }
            }
            // Whoever began has ended.
            while try await Self.number(client, "Ended") < begun + 1 {
                try await Task.sleep(for: .milliseconds(10))
            }
            let text = try await client.unary(
                Conformance.method("Deadline"), Bytes([]),
                options: CallOptions(deadline: .seconds(30)))
            let left = try #require(Double(String(decoding: text.bytes, as: UTF8.self)))
            #expect(left > 0 && left <= 30)
        }
    }

    private static func number(_ client: Client, _ name: String) async throws -> Int {
        let answer = try await client.unary(Conformance.method(name), Bytes([]))
        return try #require(Int(String(decoding: answer.bytes, as: UTF8.self)))
    }

    @Test func `many calls of all kinds share a connection to a grpcio server`() async throws {
        try await withForeign { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        if number % 3 > 0 {
                            let message = Bytes("\(number)")
                            return try await client.unary(Conformance.echo, message) == message
                        }
                        return try await client.bidirectional(Conformance.chat) { writer in
                            for _ in 0..<5 { try await writer.write(Bytes("\(number)")) }
                        } _: { answers in
                            try await answers.reduce(into: 0) { count, _ in count += 1 }
                        } == 5
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test func `a stream outlives the GOAWAY of a grpcio server`() async throws {
        try await withForeign { client in
            let texts = try await client.bidirectional(Conformance.chat) { writer in
                try await writer.write(Bytes("before"))
                _ = try await client.unary(Conformance.method("Drain"), Bytes([]))
                try await Task.sleep(for: .milliseconds(300))
                try await writer.write(Bytes("after"))
            } _: { answers in
                try await answers.reduce(into: [Bytes]()) { $0.append($1) }
            }
            #expect(texts == [Bytes("before"), Bytes("after")])
            let late = await #expect(throws: Status.self) {
                try await client.unary(
                    Conformance.echo, Bytes("late"), options: CallOptions(deadline: .seconds(20)))
            }
            #expect(late?.code == .unavailable || late?.code == .deadlineExceeded)
        }
    }

    @Test func `connections that a grpcio server lets grow old cost no call`() async throws {
        try await withForeign(["age"]) { client in
            let end = ContinuousClock.now + .seconds(2)
            var number = 0
            while ContinuousClock.now < end {
                let message = Bytes("\(number)")
                let answer = try await client.unary(Conformance.echo, message)
                #expect(answer == message)
                number += 1
            }
            #expect(number > 0)
        }
    }

    @Test func `keepalive holds a silent call with a grpcio server`() async throws {
        var configuration = ClientConfiguration()
        configuration.keepalive = Keepalive(interval: .milliseconds(100), timeout: .seconds(30))
        try await withForeign(["pings"], client: configuration) { client in
            let answer = try await client.unary(Conformance.sleep, Bytes("1500"))
            #expect(answer == Bytes([]))
        }
    }

    @Test func `a grpcio server that minds PINGs sends us away, and calls go on`() async throws {
        var configuration = ClientConfiguration()
        configuration.keepalive = Keepalive(interval: .milliseconds(50), timeout: .seconds(30))
        try await withForeign(client: configuration) { client in
            let lost = await #expect(throws: Status.self) {
                try await client.unary(Conformance.sleep, Bytes("60000"))
            }
            #expect(lost?.code == .unavailable)
            #expect(lost?.message.lowercased().contains("pings") == true, "\(lost?.message ?? "")")
            while client.core.keepalive.interval < .milliseconds(100) {
                try await Task.sleep(for: .milliseconds(5))
            }
            let options = CallOptions(deadline: .seconds(60), waitForReady: true)
            for number in 0..<20 {
                let message = Bytes("\(number)")
                let answer = try await client.unary(Conformance.echo, message, options: options)
                #expect(answer == message)
            }
        }
    }

    @Test func `our client speaks TLS with a grpcio server, and distrusts a stranger`() async throws
    {
        let files = try Certificates()
        let arguments = ["tls", files.path("server.pem"), files.path("server.key")]
        let trusting = ClientConfiguration(
            tls: try files.settings(nil, authority: "authority"))
        try await withForeign(arguments, client: trusting) { client in
            try await Self.metadata(client)
            let message = Bytes([UInt8](repeating: 5, count: 4 << 20))
            let answer = try await client.unary(Conformance.echo, message)
            #expect(answer == message)
            let count = try await client.bidirectional(Conformance.chat) { writer in
                for number in 0..<500 { try await writer.write(Bytes("\(number)")) }
            } _: { answers in
                try await answers.reduce(into: 0) { count, _ in count += 1 }
            }
            #expect(count == 500)
        }
        let distrusting = ClientConfiguration(
            tls: try files.settings(nil, authority: "stranger-authority"))
        try await withForeign(arguments, client: distrusting) { client in
            let refused = await #expect(throws: Status.self) {
                try await client.unary(Conformance.echo, Bytes("x"))
            }
            #expect(refused?.message.contains("certificate") == true, "\(refused?.message ?? "")")
        }
    }

    @Test func `our client waits for a grpcio server to come`() async throws {
        let host = "127.83.21.8"
        let first = Server(ServerConfiguration(host: host), router: Router())
        let port = try await Echo.alongside({ try await first.run() }) {
            try await first.listeningPort()
        }
        let client = Client(.dns(host: host, port: port))
        try await Echo.alongside({ try await client.run() }) {
            let options = CallOptions(deadline: .seconds(120), waitForReady: true)
            async let answer = client.unary(Conformance.echo, Bytes("x"), options: options)
            try await Task.sleep(for: .milliseconds(500))
            let server = try ForeignServer(
                Tool.python, arguments: [Tool.script("conformance_server.py"), "\(port)"])
            let seen = try await answer
            #expect(seen == Bytes("x"))
            try server.stop()
        }
    }
}
