import RPC
import Testing
import Wire

/// The cases of RFC 9113 and RFC 7541 that a server must withstand, over a socket.
@Suite(.timeLimit(.minutes(5)))
struct ConformanceTests {
    static var router: Router {
        var router = Echo.router
        router.unary(Method<Bytes, Bytes>(service: "test.Echo", name: "Hold", kind: .unary)) {
            request, _ in
            await Gate().wait()
            return request
        }
        return router
    }

    @Test(arguments: ConformanceCase.all)
    func `a server keeps to the protocol`(of test: ConformanceCase) async throws {
        try await withServer(Self.router) { client, _, port in
            try await RawSocket.connected(to: port) { socket in
                if !test.isFirst { await socket.begin() }
                await socket.send(test.bytes)
                try await Self.check(socket, test.outcome)
            }
            let answer = try await client.unary(Echo.unary, Bytes([4, 2]))
            #expect(answer == Bytes([4, 2]))
        }
    }

    private static func check(
        _ socket: RawSocket, _ outcome: ConformanceCase.Outcome
    ) async throws {
        switch outcome {
        case .closed:
            try await socket.untilClosed()
        case .connectionError(let codes):
            let seen = try await socket.untilClosed()
            let code = try #require(seen.goAway?.errorCode)
            #expect(codes.contains(code), "GOAWAY with code \(code)")
        case .streamError(let stream, let codes):
            let seen = try await socket.until {
                $0.first(Frame.Kind.reset, on: stream) != nil || $0.isClosed
            }
            let code = try #require(seen.first(Frame.Kind.reset, on: stream)?.errorCode)
            #expect(codes.contains(code), "RST_STREAM with code \(code)")
            try await isServed(socket)
        case .answered(let stream, let status):
            let seen = try await socket.until {
                $0.first(Frame.Kind.headers, on: stream) != nil || $0.isClosed
            }
            let block = try #require(seen.first(Frame.Kind.headers, on: stream)).payload
            // The static table's :status 200, or a literal.
            let isFound = status == "200" ? block.first == 0x88 : block.first != 0x88
            #expect(isFound, "\(block.prefix(8))")
            try await isServed(socket)
        case .ignored:
            try await isServed(socket)
        }
    }

    /// The connection answers a PING and a call.
    static func isServed(_ socket: RawSocket) async throws {
        let payload: UInt32 = 0xC0FFEE
        await socket.send(Frame.ping(payload) + Frame.call(1001, "/test.Echo/None"))
        let answer = Frame(
            Frame.Kind.ping, Frame.acknowledged, on: 0, [0, 0, 0, 0] + bigEndian(payload))
        let seen = try await socket.until {
            $0.frames.contains(answer) && $0.first(Frame.Kind.headers, on: 1001) != nil
                || $0.isClosed
        }
        #expect(!seen.isClosed, "closed with \(seen.goAway?.errorCode ?? 99)")
    }
}
