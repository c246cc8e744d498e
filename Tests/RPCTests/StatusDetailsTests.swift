import RPC
import Testing

/// What a status says to programs.
@Suite(.timeLimit(.minutes(5)))
struct StatusDetailsTests {
    private func failing(with status: Status) -> Router {
        var router = Router()
        router.unary(Echo.unary) { _, _ in throw status }
        return router
    }

    @Test func `details travel whole beside code and message`() async throws {
        var details = StatusDetails(
            reason: "QUOTA_EXCEEDED", domain: "test.Echo", metadata: ["limit": "5", "ä": "ö"])
        details.retryAfterMilliseconds = 1500
        details.violations = [FieldViolation("inputs[2].name", "is not empty")]
        let sent = Status(.resourceExhausted, "too much, déjà vu", details: details)
        try await withServer(failing(with: sent)) { client, _, _ in
            let got = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(got == sent)
            #expect(got.details == sent.details)
        }
    }

    @Test(arguments: [" ", "ends in a space ", "  begins with two", "%", "déjà vu ", ""])
    func `any message arrives as it is`(message: String) async throws {
        try await withServer(failing(with: Status(.notFound, message))) { client, _, _ in
            let got = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(got == Status(.notFound, message))
        }
    }

    @Test func `metadata comes without the spaces at its ends`() async throws {
        var router = Router()
        router.unary(Echo.unary) { _, context in
            Bytes(Array((context.metadata["x-words"] ?? "none").utf8))
        }
        var metadata = Metadata()
        try metadata.add("  two words ", for: "x-words")
        let options = CallOptions(metadata: metadata)
        try await withServer(router) { client, _, _ in
            let answer = try await client.unary(Echo.unary, Bytes([]), options: options)
            #expect(String(decoding: answer.bytes, as: UTF8.self) == "two words")
        }
    }

    @Test func `fields that are invalid are each named`() async throws {
        let sent = Status.invalid(
            "two fields are wrong", domain: "test.Echo",
            [FieldViolation("a", "is positive"), FieldViolation("b.c", "is not empty")])
        try await withServer(failing(with: sent)) { client, _, _ in
            let got = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(got.code == .invalidArgument)
            #expect(got.details?.reason == "FIELDS_INVALID")
            #expect(got.details?.violations.map(\.field) == ["a", "b.c"])
        }
    }

    @Test func `details that are too large lose violations, then metadata, never the status`()
        async throws
    {
        var details = StatusDetails(reason: "HUGE", domain: "test.Echo")
        details.violations = (0..<1000).map { FieldViolation("field\($0)", "is otherwise") }
        let many = Status(.invalidArgument, "many", details: details)
        details.violations = []
        details.metadata = ["k": String(repeating: "x", count: 20_000)]
        let wide = Status(.invalidArgument, "wide", details: details)
        details.reason = String(repeating: "R", count: 20_000)
        let hopeless = Status(.invalidArgument, "hopeless", details: details)
        for (sent, left) in [(many, 1...999), (wide, 0...0), (hopeless, 0...0)] {
            try await withServer(failing(with: sent)) { client, _, _ in
                let got = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
                #expect(got.code == .invalidArgument)
                #expect(got.message == sent.message)
                #expect(left.contains(got.details?.violations.count ?? 0))
                #expect((got.details == nil) == (sent.message == "hopeless"))
                #expect(got.details?.metadata ?? [:] == [:])
            }
        }
    }
}
