import RPC
import TestKit
import Testing
import Wire

/// The Python library of gRPC, as a client of our server and as a server of our client.
@Suite(
    .enabled(if: Tool.hasGRPC, "grpcio is not there (HONE_VENV)"), .timeLimit(.minutes(5)),
    .serialized)
struct GRPCTests {
    @Test func `a grpcio client gets what it asks of our server`() async throws {
        try await Echo.serving { port in
            let output = try await Tool.runAside(
                Tool.python, Tool.script("echo_client.py"), "\(port)")
            #expect(output == "ok\n")
        }
    }

    @Test func `a grpcio client gets what it asks over mutual TLS, and none without`() async throws
    {
        let files = try Certificates()
        let settings = try files.settings("server", authority: "authority")
        try await Echo.serving(over: settings) { port in
            let trusted = files.path("authority.pem")
            let output = try await Tool.runAside(
                Tool.python, Tool.script("echo_client.py"), "\(port)", trusted,
                files.path("client.key"), files.path("client.pem"))
            #expect(output == "ok\n")
            let failure = await #expect(throws: Tool.Failure.self) {
                try await Tool.runAside(
                    Tool.python, Tool.script("echo_client.py"), "\(port)", trusted)
            }
            #expect(failure?.output.contains("UNAVAILABLE") == true, "\(failure?.output ?? "")")
        }
    }

    @Test func `our client gets what it asks of a grpcio server`() async throws {
        let server = try ForeignServer(Tool.python, Tool.script("echo_server.py"))
        let client = Client(.dns(host: "127.0.0.1", port: server.port))
        try await Echo.alongside({ try await client.run() }) {
            try await kinds(client)
            try await errors(client)
            try await metadata(client)
        }
        try server.stop()
    }

    private func kinds(_ client: Client) async throws {
        let large = Bytes([UInt8](repeating: 7, count: 2 << 20))
        for message in [Bytes("hello"), Bytes(""), large] {
            let answer = try await client.unary(Echo.unary, message)
            #expect(answer == message)
        }
        let collected = try await client.clientStreaming(Echo.collect) { writer in
            for text in ["a", "bb", "ccc"] { try await writer.write(Bytes(text)) }
        }
        #expect(collected == Bytes("abbccc"))
        let expanded = try await client.serverStreaming(Echo.expand, Bytes("xyz")) { answers in
            try await answers.reduce(into: []) { $0 += $1.bytes }
        }
        #expect(expanded == Array("xyz".utf8))
        let count = try await client.bidirectional(Echo.chat) { writer in
            for number in 0..<1000 { try await writer.write(Bytes("\(number)")) }
        } _: { answers in
            try await answers.reduce(into: 0) { count, answer in
                #expect(answer == Bytes("\(count)"))
                count += 1
            }
        }
        #expect(count == 1000)
        let heavy = Bytes([UInt8](repeating: 7, count: 64 << 10))
        let total = try await client.bidirectional(Echo.chat) { writer in
            for _ in 0..<64 { try await writer.write(heavy) }
        } _: { answers in
            try await Task.sleep(for: .milliseconds(200))
            return try await answers.reduce(into: 0) { $0 += $1.bytes.count }
        }
        #expect(total == 64 * heavy.bytes.count)
    }

    private func errors(_ client: Client) async throws {
        for code in Status.Code.allCases where code != .ok {
            let status = await #expect(throws: Status.self) {
                try await client.unary(Echo.unary, Bytes("fail:\(code.rawValue)"))
            }
            #expect(status == Status(code, "as asked: 100 % déjà vu"))
        }
        let late = await #expect(throws: Status.self) {
            try await client.unary(
                Echo.unary, Bytes("wait:"), options: CallOptions(deadline: .milliseconds(200)))
        }
        #expect(late?.code == .deadlineExceeded)
        let missing = Method<Bytes, Bytes>(service: "test.Echo", name: "Missing", kind: .unary)
        let unknown = await #expect(throws: Status.self) {
            try await client.unary(missing, Bytes(""))
        }
        #expect(unknown?.code == .unimplemented)
    }

    private func metadata(_ client: Client) async throws {
        var metadata: Metadata = ["x-echo": "one"]
        try metadata.add([0, 255, 7], for: "x-raw-bin")
        let asStream = Method<Bytes, Bytes>(
            service: "test.Echo", name: "Unary", kind: .serverStreaming)
        let options = CallOptions(metadata: metadata)
        try await client.serverStreaming(asStream, Bytes("x"), options: options) { answers in
            let headers = try await answers.headers()
            #expect(headers["x-first"] == "one")
            for try await answer in answers { #expect(answer == Bytes("x")) }
            #expect(answers.trailers[binary: "x-last-bin"] == [0, 255, 7])
            #expect(answers.trailers["x-last"] == "bye")
        }
    }
}
