import RPC
import Testing

/// What a broken or hostile server does with a call, and how the call may end.
struct Malice: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let codes: Set<Status.Code>
    /// Whether the call gets a short deadline, since nothing else ends it.
    let needsDeadline: Bool
    let script: @Sendable (RawSocket) async throws -> Void

    /// A script of its own, from the first byte on.
    init(
        _ name: String, _ codes: Status.Code..., needsDeadline: Bool = false,
        script: @escaping @Sendable (RawSocket) async throws -> Void
    ) {
        testDescription = name
        self.codes = Set(codes)
        self.needsDeadline = needsDeadline
        self.script = script
    }

    /// Sends SETTINGS, waits for the call, and sends `answer` to each stream.
    static func answering(
        _ name: String, _ codes: Status.Code..., settings: [(UInt16, UInt32)] = [],
        needsDeadline: Bool = false, rounds: Int = 1,
        _ answer: @escaping @Sendable (UInt32, Int) -> [UInt8]
    ) -> Malice {
        var malice = Malice(name, needsDeadline: needsDeadline) { socket in
            await socket.send(Frame.settings(settings) + Frame.settingsAcknowledged)
            var answered: Set<UInt32> = []
            while !socket.seen.isClosed {
                let seen = try await socket.until(.seconds(60)) { seen in
                    seen.isClosed || seen.frames.contains { Self.isNew($0, answered) }
                }
                for frame in seen.frames where Self.isNew(frame, answered) {
                    answered.insert(frame.stream)
                    for round in 0..<rounds where !socket.seen.isClosed {
                        await socket.send(answer(frame.stream, round))
                    }
                }
            }
        }
        malice = Malice(malice, codes: Set(codes))
        return malice
    }

    private init(_ other: Malice, codes: Set<Status.Code>) {
        testDescription = other.testDescription
        self.codes = codes
        needsDeadline = other.needsDeadline
        script = other.script
    }

    private static func isNew(_ frame: Frame, _ answered: Set<UInt32>) -> Bool {
        frame.type == Frame.Kind.headers && !answered.contains(frame.stream)
    }

    private static let ends = Frame.endHeaders | Frame.endStream

    private static func trailers(_ stream: UInt32, _ fields: [HPACK.Field]) -> [UInt8] {
        Frame.headers(stream, HPACK.block(fields), ends)
    }

    /// Headers, these bytes, and success.
    private static func succeeding(_ stream: UInt32, _ data: [UInt8]) -> [UInt8] {
        Frame.headers(stream, HPACK.response) + Frame.data(stream, data)
            + Frame.headers(stream, HPACK.success, ends)
    }

    static let all = beginnings + answers + resets + floods

    static let beginnings = [
        Malice("garbage", .unavailable) { socket in
            await socket.send((0..<200).map { UInt8(truncatingIfNeeded: $0 &* 89) })
            try await socket.untilClosed()
        },
        Malice("HTTP/1.1", .unavailable) { socket in
            await socket.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            try await socket.untilClosed()
        },
        Malice("a connection that is closed at once", .unavailable) { await $0.close() },
        Malice("a connection that stays silent", .unavailable) { try await $0.untilClosed() },
        Malice("GOAWAY instead of SETTINGS", .unavailable) { socket in
            await socket.send(Frame.goAway(last: 0, 2))
            try await socket.untilClosed()
        },
        Malice("SETTINGS that break the protocol", .unavailable) { socket in
            await socket.send(Frame.settings([(5, 1)]))
            try await socket.untilClosed()
        },
        Malice("GOAWAY after SETTINGS, each time", .unavailable, .deadlineExceeded) { socket in
            await socket.send(Frame.settings() + Frame.goAway(last: 0, 0, "again"))
            try await socket.untilClosed()
        },
        answering("GOAWAY for each call", .unavailable, .deadlineExceeded) { _, _ in
            Frame.goAway(last: 0, 0)
        },
        answering("GOAWAY with a long reason", .internal) { stream, _ in
            Frame.goAway(last: stream, 2, String(repeating: "why ", count: 4000))
                + Frame.reset(stream, 2)
        },
        answering(
            "no stream allowed", .deadlineExceeded, settings: [(3, 0)], needsDeadline: true
        ) { _, _ in [] },
        answering(
            "no byte allowed", .deadlineExceeded, settings: [(4, 0)], needsDeadline: true
        ) { _, _ in [] },
    ]

    static let answers = [
        answering("no answer", .deadlineExceeded, needsDeadline: true) { _, _ in [] },
        answering("headers alone", .deadlineExceeded, needsDeadline: true) { stream, _ in
            Frame.headers(stream, HPACK.response)
        },
        answering("trailers without a status", .internal, .unknown) { stream, _ in
            Frame.headers(stream, HPACK.response) + trailers(stream, [("x", "y")])
        },
        answering("an end without trailers", .internal, .unknown) { stream, _ in
            Frame.headers(stream, HPACK.response)
                + Frame.data(stream, Frame.prefixed([1]), Frame.endStream)
        },
        answering("headers that end the call", .internal, .unknown) { stream, _ in
            Frame.headers(stream, HPACK.response, ends)
        },
        answering("HTTP 503", .unavailable) { stream, _ in
            trailers(stream, [(":status", "503"), ("content-type", "text/html")])
        },
        answering("HTTP 404 with a page", .unimplemented) { stream, _ in
            Frame.headers(
                stream, HPACK.block([(":status", "404"), ("content-type", "text/html")]))
                + Frame.data(stream, Array("<html>".utf8), Frame.endStream)
        },
        answering("a status that is no number", .unknown) { stream, _ in
            Frame.headers(stream, HPACK.response) + trailers(stream, [("grpc-status", "fine")])
        },
        answering("a status that gRPC does not have", .unknown) { stream, _ in
            Frame.headers(stream, HPACK.response) + trailers(stream, [("grpc-status", "99")])
        },
        answering("a message with broken escapes", .notFound) { stream, _ in
            Frame.headers(stream, HPACK.response)
                + trailers(stream, [("grpc-status", "5"), ("grpc-message", "%zz%e2%82%4")])
        },
        answering("success without an answer", .internal) {
            succeeding($0, []) + [UInt8($1)].dropFirst()
        },
        answering("two answers", .internal) { stream, _ in
            succeeding(stream, Frame.prefixed([1]) + Frame.prefixed([2]))
        },
        answering("an answer cut short", .internal) { stream, _ in
            succeeding(stream, Frame.prefixed([1, 2], length: 9))
        },
        answering("an answer above its limit", .resourceExhausted) { stream, _ in
            succeeding(stream, Frame.prefixed([1], length: 1 << 30))
        },
        answering("the compressed flag on plain bytes", .unimplemented, .internal) { stream, _ in
            succeeding(stream, Frame.prefixed([1], flag: 1))
        },
        answering("headers above the limit", .resourceExhausted) { stream, _ in
            let fields = (0..<18).map { ("x-\($0)", String(repeating: "v", count: 900)) }
            let block = HPACK.response + HPACK.block(fields)
            return Frame.headers(stream, Array(block.prefix(16_000)), 0)
                + Frame(
                    Frame.Kind.continuation, Frame.endHeaders, on: stream,
                    Array(block.dropFirst(16_000))
                ).bytes
                + trailers(stream, [("grpc-status", "0")])
        },
        answering("an answer before its headers", .internal, .unavailable) { stream, _ in
            Frame.data(stream, Frame.prefixed([1]))
        },
        answering("a pseudo-header in trailers", .internal, .unavailable) { stream, _ in
            Frame.headers(stream, HPACK.response)
                + trailers(stream, [(":status", "200"), ("grpc-status", "0")])
        },
        answering("an upper-case name", .internal, .unavailable) { stream, _ in
            Frame.headers(stream, HPACK.response + HPACK.literal("X-A", "b"))
        },
        answering("broken HPACK", .unavailable) { stream, _ in Frame.headers(stream, [0x80]) },
        answering("an interim answer, then the real one", .ok) { stream, _ in
            Frame.headers(stream, HPACK.block([(":status", "103")]))
                + succeeding(stream, Frame.prefixed([1, 2, 3]))
        },
    ]

    static let resets =
        [
            (0, Status.Code.internal), (1, .internal), (2, .internal), (3, .internal),
            (5, .internal), (6, .internal), (8, .cancelled), (9, .internal), (0xA, .internal),
            (0xB, .resourceExhausted), (0xC, .permissionDenied), (0xD, .internal), (77, .internal),
        ].map { number, code in
            answering("RST_STREAM with code \(number)", code) { stream, _ in
                Frame.reset(stream, UInt32(number))
            }
        } + [
            answering("each call is refused", .unavailable, .deadlineExceeded) { stream, _ in
                Frame.reset(stream, 7)
            }
        ]

    static let floods = [
        answering("an endless header block", .unavailable, rounds: 200) { stream, round in
            round == 0
                ? Frame.headers(stream, HPACK.response, 0)
                : Frame(Frame.Kind.continuation, 0, on: stream, []).bytes
        },
        answering("a header bomb", .internal, .resourceExhausted, .unavailable) { stream, _ in
            let entry = HPACK.indexed("x-bomb", String(repeating: "b", count: 4000))
            return Frame.headers(
                stream, HPACK.response + entry + [UInt8](repeating: 0xBE, count: 10_000))
        },
        answering(
            "interim answers without end", .unavailable, .resourceExhausted, rounds: 20_000
        ) { stream, _ in Frame.headers(stream, HPACK.block([(":status", "103")])) },
        answering("PING", .unavailable, .resourceExhausted, rounds: 20_000) {
            Frame.ping($0, UInt8($1 & 0))
        },
        answering("SETTINGS", .unavailable, .resourceExhausted, rounds: 20_000) { _, _ in
            Frame.settings()
        },
        answering("empty DATA", .unavailable, .resourceExhausted, rounds: 20_000) { stream, round in
            round == 0 ? Frame.headers(stream, HPACK.response) : Frame.data(stream, [])
        },
        answering("GOAWAY", .unavailable, .resourceExhausted, rounds: 20_000) { stream, _ in
            Frame.goAway(last: stream, 0)
        },
        answering("a connection's window beyond its limit", .unavailable) { _, _ in
            Frame.windowUpdate(0, (1 << 31) - 1)
        },
        answering("a stream's window beyond its limit", .internal, .unavailable) { stream, _ in
            Frame.windowUpdate(stream, (1 << 31) - 1)
        },
        answering("PUSH_PROMISE", .unavailable) { stream, _ in
            Frame(
                Frame.Kind.pushPromise, Frame.endHeaders, on: stream,
                bigEndian(2) + HPACK.request()
            ).bytes
        },
        answering("an answer to a stream that nobody opened", .unavailable) { _, _ in
            Frame.headers(999, HPACK.response)
        },
        answering("more than the window", .internal, .unavailable, rounds: 400) { stream, round in
            // One message of 8 MiB in a window of 64 KiB that nobody opens.
            round == 0
                ? Frame.headers(stream, HPACK.response)
                    + Frame.data(stream, Frame.prefixed([1]) + Frame.prefixed([2]))
                : Frame.data(stream, [UInt8](repeating: 0, count: 16_000))
        },
        answering("resets of streams that are over", .internal, rounds: 2000) { stream, _ in
            Frame.reset(stream, 2)
        },
    ]
}
