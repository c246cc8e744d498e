import NIOCore
import NIOPosix
import RPC
import ServiceKit
import TestKit
import Testing

/// `hone health`, as the health checks of containers run it.
@Suite(.enabled(if: Executable.path(of: "hone") != nil, "hone was not built"))
struct HealthCommandTests {
    /// Enough for the slowest machine.
    private let patience = ["--timeout", "300"]

    @Test func `its exit code says whether a service serves`() async throws {
        let server = Server(ServerConfiguration(), router: Router())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let address = "127.0.0.1:\(try await server.listeningPort())"
            let serving = try await Executable.run("hone", ["health", address] + patience)
            #expect(serving.status == 0, "\(serving.errors)")
            #expect(serving.text == "\(address) serves\n")
            let unknown = try await Executable.run(
                "hone", ["health", address, "--service", "hone.Data"] + patience)
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("hone.Data"))
            server.health.set(service: "hone.Data", .serving)
            let known = try await Executable.run(
                "hone", ["health", address, "--service", "hone.Data"] + patience)
            #expect(known.status == 0, "\(known.errors)")
            let report = try await Executable.run(
                "hone", ["health", address, "--service", "hone.Data", "--json"] + patience)
            #expect(report.text.contains("\"serves\":true"), "\(report.text)")
            server.health.set(service: "", .notServing)
            let stopped = try await Executable.run("hone", ["health", address] + patience)
            #expect(stopped.status == 1)
            #expect(stopped.errors.contains("does not serve"))
            let http = try await Executable.run(
                "hone", ["health", "--http", "http://\(address)/"] + patience)
            #expect(http.status == 1)
            #expect(http.errors.contains("did not answer in HTTP/1.1"))
            server.drain()
        }
    }

    @Test func `no server is not health`() async throws {
        // Port 1 is reserved and nobody's here.
        let absent = try await Executable.run(
            "hone", ["health", "127.0.0.1:1", "--timeout", "1"])
        #expect(absent.status == 1)
        #expect(absent.errors.contains("127.0.0.1:1"))
    }

    @Test(arguments: [
        ["health"], ["health", "127.0.0.1:1", "--http", "http://127.0.0.1:1"],
        ["health", "127.0.0.1:1", "--timeout", "0"], ["bench", "rpc", "--seconds", "0"],
    ])
    func `wrong usage exits with 64`(arguments: [String]) async throws {
        #expect(try await Executable.run("hone", arguments).status == 64)
    }
}

/// The HTTP side of health checks against servers that answer well and badly.
@Suite struct HTTPProbeTests {
    @Test(arguments: [200, 204, 404, 503])
    func `the status is read`(status: Int) async throws {
        let found = try await probe(answering: ["HTTP/1.1 \(status) Some Reason\r\n\r\n"])
        #expect(found == status)
    }

    @Test func `an answer may come in pieces`() async throws {
        let found = try await probe(answering: ["HT", "TP/1.0 2", "00", " OK\r", "\n\r\n"])
        #expect(found == 200)
    }

    @Test(arguments: ["", "hello\n", "HTTP/1.1 abc\r\n", "HTTP/1.1 99 x\r\n", "\0\0\u{12}\u{4}"])
    func `what is not HTTP is an error`(answer: String) async throws {
        await #expect(throws: CommandFailure.self) {
            _ = try await probe(answering: [answer])
        }
    }

    @Test func `a line without an end is given up`() async throws {
        await #expect(throws: CommandFailure.self) {
            _ = try await probe(answering: [String(repeating: "x", count: 100_000)])
        }
    }

    @Test func `silence ends at the limit`() async throws {
        // The server says nothing and keeps the connection, so that only the limit ends this.
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await probe(answering: [], closing: false, limit: .milliseconds(200))
        }
        #expect(failure.map { "\($0)" }?.contains("did not answer within") == true)
    }

    @Test(arguments: ["", "127.0.0.1:80", "ftp://127.0.0.1/", "http:///path"])
    func `other addresses are refused`(url: String) async throws {
        await #expect(throws: SettingsError.badURL(setting: "--http", value: url)) {
            _ = try await HTTPProbe.status(of: url, limit: .seconds(1))
        }
    }

    /// Probes a server that sends these pieces to whoever connects.
    private func probe(
        answering pieces: [String], closing: Bool = true, limit: Duration = .seconds(300)
    ) async throws -> Int {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        let port = try #require(server.channel.localAddress?.port)
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask {
                try await server.executeThenClose { connections in
                    for try await connection in connections {
                        try await connection.executeThenClose { inbound, outbound in
                            var requests = inbound.makeAsyncIterator()
                            _ = try await requests.next()
                            for piece in pieces {
                                try await outbound.write(ByteBuffer(string: piece))
                            }
                            if !closing { _ = try await requests.next() }
                        }
                    }
                }
                return nil
            }
            defer { group.cancelAll() }
            return try await HTTPProbe.status(of: "http://127.0.0.1:\(port)/healthz", limit: limit)
        }
    }
}
