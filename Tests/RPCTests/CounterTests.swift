import RPC
import Testing

/// What servers and clients count of each method.
@Suite(.timeLimit(.minutes(5)))
struct CounterTests {
    @Test func `a server counts calls by code, messages and bytes of each method`() async throws {
        var router = Echo.router
        let failing = Method<Bytes, Bytes>(service: "test.Echo", name: "Fail", kind: .unary)
        router.unary(failing) { _, _ in throw Status(.notFound, "nothing is here") }
        try await withServer(router) { client, server, _ in
            for _ in 0..<3 { _ = try await client.unary(Echo.unary, Bytes([1, 2, 3])) }
            let answers = try await client.serverStreaming(Echo.expand, Bytes([1, 2])) { answers in
                try await answers.reduce(into: 0) { count, _ in count += 1 }
            }
            #expect(answers == 2)
            let failure = await status { _ = try await client.unary(failing, Bytes([])) }
            #expect(failure.code == .notFound)
            let unary = try #require(server.counters.first { $0.name == "Unary" })
            #expect(unary.started == 3)
            #expect(unary.received == (3, 24))
            #expect(unary.sent == (3, 24))
            let expand = try #require(server.counters.first { $0.name == "Expand" })
            #expect(expand.sent == (2, 12))
            let fail = try #require(server.counters.first { $0.name == "Fail" })
            #expect(fail.started == 1)
            try await eventually { unary.ended(with: .ok) == 3 }
            try await eventually { fail.ended(with: .notFound) == 1 }
            let text = CounterText.exposition(server.counters)
            let labels = "grpc_type=\"unary\",grpc_service=\"test.Echo\",grpc_method=\"Unary\""
            for line in [
                "# TYPE grpc_server_started_total counter",
                "grpc_server_started_total{\(labels)} 3",
                "grpc_server_handled_total{\(labels),grpc_code=\"OK\"} 3",
                "grpc_server_handling_seconds_bucket{\(labels),le=\"+Inf\"} 3",
                "grpc_server_handling_seconds_count{\(labels)} 3",
                "grpc_server_msg_received_total{\(labels)} 3",
                "grpc_server_msg_sent_total{\(labels)} 3",
                "grpc_server_received_bytes_total{\(labels)} 24",
                "grpc_server_sent_bytes_total{\(labels)} 24",
            ] {
                #expect(text.contains(line + "\n"), "\(line)")
            }
            #expect(text.contains("grpc_method=\"Fail\",grpc_code=\"NotFound\"} 1\n"))
            #expect(text.contains("grpc_type=\"bidi_stream\""))
        }
    }

    @Test func `a client counts what it calls, calls cut short by their deadline too`() async throws
    {
        let slow = Method<Bytes, Bytes>(service: "test.Counted", name: "Slow", kind: .unary)
        let quick = Method<Bytes, Bytes>(service: "test.Counted", name: "Quick", kind: .unary)
        var router = Router()
        router.unary(slow) { request, _ in
            try await Task.sleep(for: .seconds(600))
            return request
        }
        router.unary(quick) { request, _ in request }
        try await withServer(router) { client, _, _ in
            _ = try await client.unary(quick, Bytes([1]))
            let late = await status {
                _ = try await client.unary(
                    slow, Bytes([1]), options: CallOptions(deadline: .milliseconds(50)))
            }
            #expect(late.code == .deadlineExceeded)
        }
        let mine = MethodCounters.ofAllClients.filter { $0.service == "test.Counted" }
        #expect(mine.map(\.name) == ["Quick", "Slow"])
        #expect(mine[0].ended(with: .ok) == 1)
        #expect(mine[0].sent == (1, 6))
        #expect(mine[0].received == (1, 6))
        #expect(mine[1].ended(with: .deadlineExceeded) == 1)
        #expect(CounterText.exposition(mine).contains("grpc_client_handled_total{"))
        #expect(CounterText.exposition([]) == "")
    }
}

/// Waits for what another task is about to do.
func eventually(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(1)) }
}
