import Chat
import Synchronization
import TestKit
import Testing

private func ask(_ text: String) -> ChatRequest {
    ChatRequest(
        messages: [.init(role: "user", content: text)], maximumTokens: 128, temperature: 1)
}

@Suite(.enabled(if: ScriptedTeacher.isPossible, "\(ScriptedTeacher.reason)"))
struct ChatClientTests {
    private let teacher: ScriptedTeacher

    init() throws {
        teacher = try ScriptedTeacher()
    }

    private func client(
        _ model: String, keys: [String] = [], requestsPerMinute: Int? = nil,
        timeout: Duration = .seconds(20), maximumReplyBytes: Int = 1 << 20, retries: Int = 3
    ) throws -> ChatClient {
        try ChatClient(
            ChatConfiguration(
                endpoint: teacher.endpoint, model: teacher.model(model), keys: keys,
                requestsPerMinute: requestsPerMinute, timeout: timeout,
                retry: RetryPolicy(retries: retries, first: .milliseconds(20)),
                maximumReplyBytes: maximumReplyBytes))
    }

    private func failure(_ client: ChatClient) async -> ChatError? {
        do {
            _ = try await client.complete(ask("x"))
            return nil
        } catch {
            return error as? ChatError
        }
    }

    @Test func `a reply comes with its usage and the request says what was asked`() async throws {
        let text = "Hello! ÄÖ 안녕 😀 \"quoted\"\n\t\u{1}\\"
        let reply = try await client("ok", keys: ["k1"]).complete(ask(text))
        #expect(reply.text == "echo " + text)
        #expect(reply.finishReason == "stop")
        #expect(reply.usage.promptTokens == 7)
        #expect(reply.attempts == 1)
        let request = try #require(try teacher.requests().first)
        #expect(request.path == "/v1/chat/completions")
        #expect(request.key == "k1")
        #expect(request.body.max_tokens == 128)
        #expect(request.body.temperature == 1)
        #expect(request.body.messages.map(\.content) == [text])
    }

    @Test func `keys are used in turn by item`() async throws {
        let client = try client("ok", keys: ["a", "b", "c"])
        for item in 0..<7 { _ = try await client.complete(ask("x"), item: item) }
        #expect(try teacher.requests().map(\.key) == ["a", "b", "c", "a", "b", "c", "a"])
    }

    @Test(arguments: [
        "status:500,status:503,ok", "status:429:0.05,ok", "close,ok", "cut,ok", "html,ok",
        "badjson,ok", "status:408,ok", "status:429,status:500,close,ok",
    ])
    func `what may succeed later is tried again`(model: String) async throws {
        let reply = try await client(model).complete(ask("x"))
        #expect(reply.text == "echo x")
        // libcurl itself sends again over a fresh connection when a kept one was closed unanswered.
        #expect(try teacher.requests().count == model.split(separator: ",").count)
    }

    @Test(arguments: [
        ("status:401", ChatError.Kind.authentication), ("status:400", .invalidRequest),
        ("status:403", .permission), ("status:404", .notFound), ("status:422", .invalidRequest),
        ("named:400:context_length_exceeded:invalid_request_error", .contextLength),
        ("named:429:insufficient_quota:insufficient_quota", .quota),
        ("named:400:content_filter:x", .contentFilter),
    ])
    func `what cannot succeed fails at once`(_ model: String, _ kind: ChatError.Kind) async throws {
        let error = await failure(try client(model, keys: ["sk-secret"]))
        #expect(error?.kind == kind)
        #expect(error?.attempts == 1)
        #expect(try teacher.requests().count == 1)
        #expect(error.map { !"\($0)".contains("secret") } == true)
    }

    @Test func `retries end and say how many there were`() async throws {
        let error = await failure(try client("status:500", retries: 2))
        #expect(error?.kind == .server)
        #expect(error?.attempts == 3)
        #expect(try teacher.requests().count == 3)
    }

    @Test(arguments: [Int?.none, 60_000])
    func `Retry-After is kept by everyone with the key`(requestsPerMinute: Int?) async throws {
        // One caller hears of the wait and gives up; the others come while it lasts.
        let client = try client(
            "status:429:1,ok", keys: ["k"], requestsPerMinute: requestsPerMinute, retries: 0)
        #expect(await failure(client)?.kind == .rateLimited)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for item in 0..<24 {
                group.addTask { _ = try await client.complete(ask("\(item)"), item: item) }
            }
            try await group.waitForAll()
        }
        let times = try teacher.requests().map(\.time).sorted()
        #expect(times.count == 25)
        // The client hears of it after the server has written the time down.
        #expect(times.dropFirst().allSatisfy { $0 - times[0] >= 1 })
    }

    @Test func `Retry-After of one key leaves the others alone`() async throws {
        let client = try client("status:429:3600,ok", keys: ["a", "b"], retries: 0)
        #expect(await failure(client)?.kind == .rateLimited)
        // The wait is longer than the policy allows: the key rests for the back-off's time.
        for item in [1, 3, 0] { _ = try await client.complete(ask("x"), item: item) }
        #expect(try teacher.requests().map(\.key) == ["a", "b", "b", "a"])
    }

    @Test func `a refused key is left aside and its items go to the others`() async throws {
        let notices = Mutex<[String]>([])
        var configuration = ChatConfiguration(
            endpoint: teacher.endpoint, model: teacher.model("refuse:sk-bad,refuse:sk-bad"),
            keys: ["sk-good", "sk-bad", "sk-other"])
        configuration.onKeyRefused = { notice in notices.withLock { $0.append(notice) } }
        let client = try ChatClient(configuration)
        for item in 0..<9 { _ = try await client.complete(ask("x"), item: item) }
        let keys = try teacher.requests().map(\.key)
        #expect(keys.count { $0 == "sk-bad" } == 1)
        #expect(keys.count == 10)
        #expect(keys.count { $0 == "sk-other" } > 3)
        let told = notices.withLock { $0 }
        #expect(told.count == 1)
        #expect(told.first?.contains("key 2 of 3") == true)
        #expect(told.first?.contains("sk-") == false)
    }

    @Test func `the last of several keys fails with its place`() async throws {
        let error = await failure(try client("status:401", keys: ["sk-one", "sk-two"]))
        #expect(error?.kind == .authentication)
        #expect(error?.message.hasPrefix("key 2 of 2: ") == true)
        #expect(try teacher.requests().map(\.key) == ["sk-one", "sk-two"])
    }

    @Test func `requests a minute are kept across workers and retries`() async throws {
        let client = try client("status:500,ok", keys: ["a", "b"], requestsPerMinute: 600)
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for item in 0..<24 {
                group.addTask { _ = try await client.complete(ask("x"), item: item) }
            }
            try await group.waitForAll()
        }
        let span = clock.now - start
        for key in ["a", "b"] {
            let count = try teacher.requests().count { $0.key == key }
            #expect(count >= 12)
            // 100 ms a request; late is allowed, so only the whole is compared, from before the first.
            #expect(span >= .milliseconds(100 * (count - 1)))
        }
    }

    @Test func `a slow reply is a timeout, a long one is refused`() async throws {
        let slow = await failure(
            try client("slow:5", timeout: .milliseconds(200), retries: 0))
        #expect(slow?.kind == .timeout)
        let long = await failure(try client("big:100000", maximumReplyBytes: 50_000))
        #expect(long?.kind == .replyTooLarge)
        #expect(long?.attempts == 1)
    }

    @Test func `an endpoint that is not there is a connection failure`() async throws {
        let client = try ChatClient(
            ChatConfiguration(
                endpoint: "http://127.0.0.1:1", model: "m", retry: RetryPolicy(retries: 0)))
        #expect(await failure(client)?.kind == .connection)
    }

    @Test func `cancelling ends the wait at once`() async throws {
        let client = try client("slow:60", timeout: .seconds(60))
        let clock = ContinuousClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await client.complete(ask("x")) }
            while try teacher.requests().isEmpty { try await clock.sleep(for: .milliseconds(5)) }
            let start = clock.now
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
            #expect(clock.now - start < .seconds(30))
        }
    }

    @Test(arguments: ["ok", "nodone"])
    func `a stream gives the text in pieces`(model: String) async throws {
        var text = ""
        var usage: ChatUsage?
        var reason: String?
        for try await delta in try await client(model).stream(ask("one two")) {
            text += delta.text
            usage = delta.usage ?? usage
            reason = delta.finishReason ?? reason
        }
        #expect(text == "echo one two ")
        #expect(reason == "stop")
        #expect((usage?.completionTokens == 3) == (model == "ok"))
    }

    @Test func `every form of server-sent events is read`() async throws {
        var text = ""
        for try await delta in try await client("forms").stream(ask("x")) { text += delta.text }
        #expect(text == "abc")
    }

    @Test(arguments: [("cutstream", ChatError.Kind.connection), ("brokenstream", .server)])
    func `a stream that breaks off throws after what came`(
        _ model: String, _ kind: ChatError.Kind
    ) async throws {
        var text = ""
        var thrown: ChatError?
        do {
            for try await delta in try await client(model).stream(ask("x")) { text += delta.text }
        } catch {
            thrown = error as? ChatError
        }
        #expect(text == "Hel")
        #expect(thrown?.kind == kind)
    }

    @Test func `a stream is tried again before its beginning`() async throws {
        var text = ""
        for try await delta in try await client("status:503,close,ok").stream(ask("x")) {
            text += delta.text
        }
        #expect(text == "echo x ")
    }

    @Test func `leaving an endless stream ends the exchange`() async throws {
        let client = try client("endless")
        var pieces = 0
        for try await _ in try await client.stream(ask("x")) {
            pieces += 1
            if pieces == 3 { break }
        }
        #expect(pieces == 3)
        #expect(try await client.complete(ask("x")).text == "echo x")
    }

    @Test func `many at once share few connections`() async throws {
        let client = try client("ok")
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for item in 0..<300 {
                group.addTask { try await client.complete(ask("\(item)"), item: item).text }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(texts == Set((0..<300).map { "echo \($0)" }))
    }
}
