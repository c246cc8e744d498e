import RPC
import Testing
import Wire

/// How calls end.
@Suite(.timeLimit(.minutes(5)))
struct StatusTests {
    struct Refusal: StatusConvertible {
        var status: Status { Status(.failedPrecondition, "not now") }
    }

    struct Secret: Error {
        let password = "hunter2"
    }

    @Test(arguments: Status.Code.allCases.filter { $0 != .ok })
    func `a handler's status reaches the caller`(code: Status.Code) async throws {
        var router = Router()
        let text = "why: 100 % déjà vu\n日本"
        router.unary(Echo.unary) { _, _ in throw Status(code, text) }
        router.serverStreaming(Echo.expand) { _, responses, _ in
            try await responses.write(Bytes([1]))
            throw Status(code, text)
        }
        try await withServer(router) { client, _, _ in
            let unary = await status { _ = try await client.unary(Echo.unary, Bytes([1])) }
            #expect(unary == Status(code, text))
            let seen = Gate()
            let streamed = await status {
                try await client.serverStreaming(Echo.expand, Bytes([1])) { answers in
                    for try await answer in answers where answer.bytes == [1] { seen.open() }
                }
            }
            #expect(streamed == Status(code, text))
            #expect(seen.isOpen)
        }
    }

    @Test func `an error that knows its status is told so, others keep their secrets`() async throws
    {
        var router = Router()
        router.unary(Echo.unary) { _, _ in throw Refusal() }
        router.unary(Echo.repeatable) { _, _ in throw Secret() }
        router.clientStreaming(Echo.collect) { _, _ in throw CancellationError() }
        try await withServer(router) { client, _, _ in
            let refused = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(refused == Status(.failedPrecondition, "not now"))
            let secret = await status { _ = try await client.unary(Echo.repeatable, Bytes([])) }
            #expect(secret == Status(.unknown, "the service failed: Secret"))
            let cancelled = await status {
                _ = try await client.clientStreaming(Echo.collect) { _ in }
            }
            #expect(cancelled.code == .cancelled)
        }
    }

    @Test func `a message of many letters is cut, and its status arrives`() async throws {
        var router = Router()
        router.unary(Echo.unary) { _, _ in
            throw Status(.aborted, String(repeating: "日本語 ", count: 1000))
        }
        try await withServer(router) { client, _, _ in
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status.code == .aborted)
            #expect(status.message.hasPrefix("日本語 日本語 "))
            #expect((50...1000).contains(status.message.count))
        }
    }

    @Test func `metadata that cannot be sent ends the call, and says so`() async throws {
        var long = Metadata()
        try long.add(String(repeating: "x", count: 70_000), for: "long")
        let metadata = long
        var router = Router()
        router.unary(Echo.unary) { request, context in
            context.setTrailers(metadata)
            return request
        }
        router.serverStreaming(Echo.expand) { _, responses, context in
            context.sendHeaders(metadata)
            try await responses.write(Bytes([1]))
        }
        try await withServer(router) { client, _, _ in
            let trailers = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(trailers.code == .internal)
            #expect(trailers.message.contains("trailers of 70036 bytes"))
            let headers = await status {
                try await client.serverStreaming(Echo.expand, Bytes([])) { answers in
                    for try await _ in answers {}
                }
            }
            #expect(headers.message.contains("headers of 70036 bytes"))
            let request = await status {
                _ = try await client.unary(
                    Echo.repeatable, Bytes([]), options: CallOptions(metadata: metadata))
            }
            #expect(request.code == .resourceExhausted)
            #expect(request.message.contains("send less metadata"))
        }
    }

    @Test func `a method without a handler is unimplemented`() async throws {
        try await withServer(Router()) { client, _, _ in
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status == Status(.unimplemented, "no handler answers /test.Echo/Unary"))
        }
    }

    @Test func `a request above the server's limit names limit, size and option`() async throws {
        var configuration = ServerConfiguration()
        configuration.maximumRequestBytes = 1000
        try await withServer(Echo.router, configuration) { client, _, _ in
            let status = await status {
                _ = try await client.unary(Echo.unary, Bytes(count: 1001))
            }
            #expect(status.code == .resourceExhausted)
            #expect(status.message.contains("1001 bytes"))
            #expect(status.message.contains("limit of 1000 bytes"))
            #expect(status.message.contains("ServerConfiguration.maximumRequestBytes"))
            try await expectEqual(client.unary(Echo.unary, Bytes(count: 1000)).bytes.count, 1000)
        }
    }

    @Test func `an answer above the client's limit names limit, size and option`() async throws {
        var configuration = ClientConfiguration()
        configuration.maximumResponseBytes = 1000
        try await withServer(Echo.router, client: configuration) { client, _, _ in
            let status = await status {
                _ = try await client.unary(Echo.unary, Bytes(count: 2000))
            }
            #expect(status.code == .resourceExhausted)
            #expect(status.message.contains("2000 bytes"))
            #expect(status.message.contains("ClientConfiguration.maximumResponseBytes"))
        }
    }

    @Test func `a message above its type's limit names the type`() async throws {
        try await withServer(Echo.router) { client, _, _ in
            let status = await status {
                _ = try await client.unary(Echo.unary, Bytes(count: 17 << 20))
            }
            #expect(status.code == .resourceExhausted)
            #expect(status.message.contains("test.Bytes.maximumBytes"))
        }
    }

    @Test func `metadata above the limit is refused with its name`() async throws {
        try await withServer(Echo.router) { client, _, _ in
            let long = String(repeating: "v", count: 20_000)
            let status = await status {
                _ = try await client.unary(
                    Echo.unary, Bytes([]), options: CallOptions(metadata: ["x-long": long]))
            }
            #expect(status.code == .resourceExhausted)
            #expect(status.message.contains("maximumHeaderBytes"))
        }
    }

    @Test func `nothing listens means unavailable, at once`() async throws {
        // An address of this test's own: nobody else takes the port that has become free.
        let host = "127.83.21.6"
        let server = Server(ServerConfiguration(host: host), router: Router())
        let port = try await running(server) { $0 }
        let client = Client(.dns(host: host, port: port))
        try await running(client) {
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status.code == .unavailable)
            #expect(status.message.contains("\(host):\(port)"))
        }
    }

    @Test func `a client that has stopped says so`() async throws {
        try await withServer(Echo.router) { _, _, port in
            let client = Client(.dns(host: "127.0.0.1", port: port))
            try await running(client) { _ = try await client.unary(Echo.unary, Bytes([])) }
            let status = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(status == Status(.unavailable, "the client has stopped"))
        }
    }

    @Test func `two servers cannot have one port`() async throws {
        try await withServer(Echo.router) { _, _, port in
            var configuration = ServerConfiguration()
            configuration.port = port
            let second = Server(configuration, router: Router())
            let error = await #expect(throws: ServerError.self) { try await second.run() }
            #expect(error?.description.contains("127.0.0.1:\(port)") == true)
        }
    }
}
