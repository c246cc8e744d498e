import RPC
import Synchronization
import Testing

/// W3C trace context: read strictly, passed on hop by hop.
@Suite(.timeLimit(.minutes(5)))
struct TraceTests {
    static let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `a valid header is read and written`() throws {
        let trace = try #require(TraceContext(parent: [Self.header]))
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.spanID == "b7ad6b7169203331")
        #expect(trace.isSampled)
        #expect(trace.header == Self.header)
        let next = trace.next()
        #expect(next.traceID == trace.traceID)
        #expect(next.parentID == trace.spanID)
        #expect(next.spanID != trace.spanID)
        #expect(next.isSampled)
        let begun = TraceContext()
        #expect(!begun.isSampled)
        #expect(begun.parentID == nil)
        #expect(TraceContext(parent: [begun.header])?.traceID == begun.traceID)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
    ])
    func `what is no header is none`(text: String) {
        #expect(TraceContext(parent: [text]) == nil)
    }

    @Test func `later versions are read as far as they are known, two headers not at all`() {
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-what"
        #expect(TraceContext(parent: [later])?.header == Self.header)
        #expect(TraceContext(parent: [Self.header, Self.header]) == nil)
        #expect(TraceContext(parent: []) == nil)
    }

    @Test func `the state is kept where it is valid, and left out where it is not`() {
        func state(_ values: String...) -> String? {
            TraceContext(parent: [Self.header], states: values)?.state
        }
        #expect(
            state("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
                == "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
        #expect(state("a=1", "b@c=2") == "a=1,b@c=2")
        #expect(state("a=1,\tb=2 ,, c=x y ", " ", "d=4") == "a=1,b=2,c=x y,d=4")
        #expect(state(",") == "")
        #expect(state("a=") == "")
        #expect(state("a=1=2") == "")
        #expect(state("a=\t1") == "")
        #expect(state("a=1,a=2") == "")
        #expect(state("A=1") == "")
        #expect(state("a") == "")
        #expect(state("a=" + String(repeating: "x", count: 600)) == "")
        #expect(state((0..<33).map { "k\($0)=v" }.joined(separator: ",")) == "")
    }

    @Test func `a trace passes through three hops, with a new span at each`() async throws {
        let seen = Seen()
        let first = Method<Bytes, Bytes>(service: "test.Hop", name: "First", kind: .unary)
        let last = Method<Bytes, Bytes>(service: "test.Hop", name: "Last", kind: .unary)
        var end = Router()
        end.unary(last) { request, context in
            seen.add(context.trace)
            return request
        }
        try await withTracing(end) { inner in
            var begin = Router()
            begin.unary(first) { request, context in
                seen.add(context.trace)
                return try await inner.unary(last, request)
            }
            try await withTracing(begin) { outer in
                let options = CallOptions(metadata: [
                    "traceparent": Self.header, "tracestate": "rojo=1",
                ])
                _ = try await outer.unary(first, Bytes([1]), options: options)
                let broken = CallOptions(metadata: ["traceparent": "00-nonsense"])
                _ = try await outer.unary(first, Bytes([1]), options: broken)
                _ = try await outer.unary(first, Bytes([1]))
            }
        }
        let traces = seen.all
        #expect(traces.count == 6)
        for trace in traces.prefix(2) {
            #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
            #expect(trace.isSampled)
            #expect(trace.state == "rojo=1")
        }
        #expect(traces[0].parentID == "b7ad6b7169203331")
        #expect(traces[1].parentID != traces[0].parentID)
        #expect(Set(traces.map(\.spanID)).count == 6)
        // An invalid header begins a trace, which its calls belong to.
        #expect(traces[2].traceID == traces[3].traceID)
        #expect(traces[2].traceID != traces[0].traceID)
        #expect(!traces[2].isSampled)
        #expect(traces[4].traceID == traces[5].traceID)
        #expect(Set(traces.map(\.traceID)).count == 3)
    }

    private func withTracing(
        _ router: Router, _ body: @escaping @Sendable (Client) async throws -> Void
    ) async throws {
        var server = ServerConfiguration()
        server.interceptors = [Tracing()]
        var client = ClientConfiguration()
        client.interceptors = [Tracing()]
        try await withServer(router, server, client: client) { client, _, _ in
            try await body(client)
        }
    }

    private final class Seen: Sendable {
        private let traces = Mutex<[TraceContext]>([])
        var all: [TraceContext] { traces.withLock { $0 } }
        func add(_ trace: TraceContext?) {
            if let trace { traces.withLock { $0.append(trace) } }
        }
    }
}
