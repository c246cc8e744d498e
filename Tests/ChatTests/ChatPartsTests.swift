import Chat
import FoundationEssentials
import TestKit
import Testing

@Suite struct RetryPolicyTests {
    private struct Table: Decodable {
        struct Row: Decodable {
            var remaining_retries: Int
            var retry_after: String
            var expected_seconds: Double
        }
        var max_retries: Int
        var rows: [Row]
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `waits are those of the official client`() throws {
        let data = try Data(contentsOf: SharedData.file("data/openai/retry-after-table.json"))
        let table = try JSONDecoder().decode(Table.self, from: data)
        #expect(table.rows.count == 23)
        for row in table.rows {
            for random in [0, 0.5, 0.999] {
                let delay = RetryPolicy().delay(
                    attempt: table.max_retries - row.remaining_retries,
                    headers: ["retry-after": row.retry_after], now: 1_696_004_797, random: random)
                // The random quarter is taken off the doubling waits alone.
                let seconds = delay / .seconds(1)
                #expect(seconds <= row.expected_seconds + 1e-9, "\(row.retry_after)")
                #expect(seconds >= row.expected_seconds * 0.75, "\(row.retry_after)")
                if row.expected_seconds >= 20 { #expect(seconds == row.expected_seconds) }
            }
        }
    }

    @Test(arguments: [
        ("retry-after-ms", "300", 0.3), ("retry-after", "1.5", 1.5),
        ("retry-after", "Thu, 01 Jan 1970 00:01:40 GMT", 100),
        ("retry-after", "Tue, 29 Feb 1972 00:00:01 GMT", 68_169_601),
    ])
    func `a wait is read from a header`(_ name: String, _ value: String, _ expected: Double) {
        #expect(RetryPolicy.retryAfter([name: value], now: 0) == expected)
    }

    @Test func `milliseconds go before seconds`() {
        let headers = ["retry-after": "2", "retry-after-ms": "40"]
        #expect(RetryPolicy.retryAfter(headers, now: 0) == 0.04)
    }
}

@Suite struct RequestPacerTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `no minute sees more requests than the limit`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let limit = Int.random(in: 1...600, using: &random)
        var pacer = RequestPacer(requestsPerMinute: limit)
        let start = ContinuousClock.now
        var now = start
        var moments: [ContinuousClock.Instant] = []
        for _ in 0..<2000 {
            now = now + .milliseconds(Int.random(in: 0...40, using: &random))
            if Int.random(in: 0..<100, using: &random) == 0 {
                pacer.hold(
                    until: now + .milliseconds(Int.random(in: 0...5000, using: &random)), now: now)
                moments.removeAll { $0 > now }
            }
            moments.append(pacer.reserve(now: now))
        }
        #expect(moments == moments.sorted())
        for index in moments.indices where index + limit < moments.count {
            // Durations are whole attoseconds, so the interval may fall short by their rounding.
            let span = moments[index + limit] - moments[index]
            #expect(span >= .seconds(60) - .microseconds(1), "seed \(seed)")
        }
    }

    @Test func `an idle pacer lets the next one through at once`() {
        var pacer = RequestPacer(requestsPerMinute: 1)
        let now = ContinuousClock.now
        #expect(pacer.reserve(now: now) == now)
        #expect(pacer.reserve(now: now) == now + .seconds(60))
        #expect(pacer.reserve(now: now + .seconds(300)) == now + .seconds(300))
    }
}

@Suite struct ChatErrorTests {
    private struct Row: Decodable {
        var name: String
        var status: Int
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `every known error body is classified`() throws {
        let expected: [String: ChatError.Kind] = [
            "context_length_messages": .contextLength,
            "context_length_messages_and_completion": .contextLength,
            "context_length_8k": .contextLength, "rate_limit_rpm_2023_04": .rateLimited,
            "rate_limit_rpm_2023_09": .rateLimited, "rate_limit_rpm_2024_04": .rateLimited,
            "insufficient_quota_2023_03": .quota, "insufficient_quota_2023_12": .quota,
            "content_filter_azure": .contentFilter, "invalid_api_key": .authentication,
            "model_not_found": .notFound, "server_error": .server, "overloaded": .server,
        ]
        let data = try Data(contentsOf: SharedData.file("data/openai/error-bodies.jsonl"))
        let lines = data.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == expected.count)
        for line in lines {
            let row = try JSONDecoder().decode(Row.self, from: Data(line))
            // The body is the only object of the row with an "error" in it.
            let text = String(decoding: line, as: UTF8.self)
            let start = try #require(text.firstRange(of: "{\"error\"")?.lowerBound)
            let end = try #require(text.firstRange(of: ", \"seen_in\"")?.lowerBound)
            let error = ChatError(status: row.status, body: Array(text[start..<end].utf8))
            #expect(error.kind == expected[row.name], "\(row.name)")
            #expect(!"\(error.redacted(keys: []))".contains("sk-test"))
        }
    }
}

@Suite struct ChatConfigurationTests {
    @Test(arguments: [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
        ("http://127.0.0.1:7410", "http://127.0.0.1:7410/v1/chat/completions"),
        ("http://h/x/chat/completions", "http://h/x/chat/completions"),
    ])
    func `an endpoint is completed`(_ endpoint: String, _ url: String) throws {
        #expect(try ChatConfiguration(endpoint: endpoint, model: "m").completionsURL() == url)
    }

    @Test(arguments: ["", "ftp://x", "127.0.0.1:80", "http://", "http://user:word@h/v1"])
    func `what is no address is refused`(endpoint: String) {
        #expect(throws: ChatError.self) {
            try ChatConfiguration(endpoint: endpoint, model: "m").completionsURL()
        }
    }

    @Test func `a key that would break the header is refused`() {
        #expect(throws: ChatError.self) {
            try ChatClient(
                ChatConfiguration(endpoint: "http://h", model: "m", keys: ["a\r\nX: y"]))
        }
    }

    @Test func `the body of a request is always the same`() {
        let request = ChatRequest(
            messages: [.init(role: "user", content: "a\n\"")], maximumTokens: 5, temperature: 0.5,
            topP: 1, stop: ["x", "y"])
        #expect(
            String(decoding: request.body(model: "m"), as: UTF8.self)
                == #"{"model":"m","messages":[{"role":"user","content":"a\n\""}],"#
                + #""temperature":0.5,"max_tokens":5,"top_p":1,"stop":["x","y"]}"#)
    }
}

@Suite struct ServerSentEventsTests {
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `cuts do not matter`(seed: UInt64) throws {
        let text =
            "data: a\n\n: c\r\n\r\ndata:b\r\rdata: c\r\ndata: d\r\n\r\ndata\n\nid: 1\n\ndata: é\n\n"
        var random = SplitMix64(seed: seed)
        var parser = ServerSentEvents()
        var rest = Array(text.utf8)[...]
        var events: [String] = []
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...7, using: &random))
            events += try parser.append(Array(rest.prefix(count))).map {
                String(decoding: $0, as: UTF8.self)
            }
            rest = rest.dropFirst(count)
        }
        #expect(events == ["a", "b", "c\nd", "", "é"], "seed \(seed)")
    }

    @Test func `an event without end is refused`() {
        var parser = ServerSentEvents()
        #expect(throws: ChatError.self) {
            for _ in 0..<10 { _ = try parser.append(Array(repeating: 65, count: 1 << 20)) }
        }
    }
}
