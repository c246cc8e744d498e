import HTTP2
import Testing

/// Bytes that a client sends after its first frames, and what must come of them.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// GOAWAY with one of these codes, then the end of the connection.
        case connectionError([UInt32])
        /// The connection is closed, with or without a GOAWAY.
        case closed
        /// RST_STREAM with one of these codes; the connection goes on.
        case streamError(UInt32, [UInt32])
        /// The stream is answered with this HTTP status; the connection goes on.
        case answered(UInt32, String)
        /// Nothing; the connection goes on.
        case ignored
    }

    // HEADERS of streams that are over, and PRIORITY after SETTINGS_NO_RFC7540_PRIORITIES, are
    // ignored by the library, where RFC 9113 would have the connection end: both are harmless.

    /// The section of RFC 9113, or of RFC 7541 where it begins with "HPACK".
    let section: String
    let name: String
    let bytes: [UInt8]
    let outcome: Outcome
    /// Whether the bytes take the place of preface and SETTINGS.
    var isFirst = false

    var testDescription: String { "\(section) \(name)" }

    init(
        _ section: String, _ name: String, _ bytes: [UInt8], _ outcome: Outcome,
        isFirst: Bool = false
    ) {
        self.section = section
        self.name = name
        self.bytes = bytes
        self.outcome = outcome
        self.isFirst = isFirst
    }

    static let protocolError: UInt32 = 0x1
    static let flowControlError: UInt32 = 0x3
    static let streamClosed: UInt32 = 0x5
    static let frameSizeError: UInt32 = 0x6
    static let refusedStream: UInt32 = 0x7
    static let compressionError: UInt32 = 0x9

    static let all =
        starting + framing + states + data + headers + control + windows + continuations
        + messages + pseudo + compression

    private static let valid = HPACK.request()
    private static let ends = Frame.endStream | Frame.endHeaders
    private typealias Kind = Frame.Kind

    private static func frame(
        _ type: UInt8, _ flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        Frame(type, flags, on: stream, payload).bytes
    }

    private static func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        Frame(type, payload).bytes
    }

    // MARK: Sections 3 and 4

    static let starting = [
        ConformanceCase(
            "3.4", "a preface of another protocol",
            Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8) + Frame.settings(), .closed,
            isFirst: true),
        ConformanceCase(
            "3.4", "a first frame that is not SETTINGS", Frame.preface + Frame.call(1),
            .connectionError([protocolError]), isFirst: true),
        ConformanceCase(
            "3.4", "HTTP/1.1", Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), .closed,
            isFirst: true),
        ConformanceCase(
            "3.4", "the ClientHello of TLS", [22, 3, 1, 0, 5, 1, 0, 0, 1, 3], .closed,
            isFirst: true),
        ConformanceCase(
            "3.4", "a preface one byte short, then garbage",
            Frame.preface.dropLast() + [UInt8](repeating: 0xFF, count: 64), .closed,
            isFirst: true),
    ]

    static let framing = [
        ConformanceCase(
            "4.1", "a frame of an unknown type", frame(0x16, 0xFF, on: 3, [1]), .ignored),
        ConformanceCase("4.1", "a PING with unknown flags", Frame.ping(7, 0x16), .ignored),
        ConformanceCase(
            "4.1", "a PING with the reserved bit",
            frame(Kind.ping, on: 1 << 31, [0, 0, 0, 0, 0, 0, 0, 9]),
            .ignored),
        ConformanceCase(
            "4.2", "DATA above SETTINGS_MAX_FRAME_SIZE",
            Frame.headers(1, valid) + Frame.data(1, [UInt8](repeating: 0, count: (64 << 10) + 1)),
            .connectionError([frameSizeError])),
        ConformanceCase(
            "4.2", "HEADERS above SETTINGS_MAX_FRAME_SIZE",
            Frame.headers(1, [UInt8](repeating: 0, count: (64 << 10) + 1)),
            .connectionError([frameSizeError])),
        ConformanceCase(
            "4.3", "PRIORITY within a header block",
            Frame.headers(1, valid, 0) + frame(Kind.priority, on: 1, [0, 0, 0, 0, 1]),
            .connectionError([protocolError])),
        ConformanceCase(
            "4.3", "HEADERS of another stream within a header block",
            Frame.headers(1, valid, 0) + Frame.headers(3, valid),
            .connectionError([protocolError])),
        ConformanceCase(
            "5.5", "an unknown frame within a header block",
            Frame.headers(1, valid, 0) + frame(0x16, on: 1), .connectionError([protocolError])),
    ]

    // MARK: Section 5

    private static let reset = Frame.headers(1, valid) + Frame.reset(1)
    private static let ended = Frame.headers(1, HPACK.request("/test.Echo/Hold"), ends)

    static let states = [
        ConformanceCase(
            "5.1", "DATA on an idle stream", Frame.data(1, [1]), .connectionError([protocolError])),
        ConformanceCase(
            "5.1", "RST_STREAM on an idle stream", Frame.reset(1), .connectionError([protocolError])
        ),
        ConformanceCase(
            "5.1", "WINDOW_UPDATE on an idle stream", Frame.windowUpdate(1, 100),
            .connectionError([protocolError])),
        ConformanceCase(
            "5.1", "CONTINUATION on an idle stream",
            frame(Kind.continuation, Frame.endHeaders, on: 1, valid),
            .connectionError([protocolError])),
        ConformanceCase(
            "5.1", "DATA after END_STREAM", ended + Frame.data(1, [1]),
            .connectionError([streamClosed])),
        ConformanceCase(
            "5.1", "HEADERS after END_STREAM", ended + Frame.headers(1, valid),
            .connectionError([streamClosed])),
        ConformanceCase(
            "5.1", "CONTINUATION after END_STREAM",
            ended + frame(Kind.continuation, Frame.endHeaders, on: 1, valid),
            .connectionError([protocolError])),
        ConformanceCase("5.1", "DATA after RST_STREAM", reset + Frame.data(1, [1]), .ignored),
        ConformanceCase(
            "5.1", "WINDOW_UPDATE after RST_STREAM", reset + Frame.windowUpdate(1, 9), .ignored),
        ConformanceCase("5.1", "RST_STREAM twice", reset + Frame.reset(1), .ignored),
        ConformanceCase(
            "5.1", "HEADERS after RST_STREAM", reset + Frame.headers(1, valid),
            .ignored),
        ConformanceCase(
            "5.1.1", "an even stream", Frame.headers(2, valid), .connectionError([protocolError])),
        ConformanceCase(
            "5.1.1", "a stream below the last",
            Frame.headers(5, valid, ends) + Frame.headers(3, valid, ends),
            .ignored),
        ConformanceCase(
            "5.3.1", "PRIORITY of a stream that depends on itself",
            frame(Kind.priority, on: 1, bigEndian(1) + [9]), .ignored),
    ]

    // MARK: Sections 6.1 to 6.3

    static let data = [
        ConformanceCase(
            "6.1", "DATA on stream 0", Frame.data(0, [1]), .connectionError([protocolError])),
        ConformanceCase(
            "6.1", "DATA padded beyond its end",
            Frame.headers(1, valid) + Frame.data(1, [9, 0, 0], Frame.padded),
            .connectionError([protocolError])),
        ConformanceCase(
            "6.1", "DATA padded without a length",
            Frame.headers(1, valid) + Frame.data(1, [], Frame.padded),
            .connectionError([protocolError, frameSizeError])),
        ConformanceCase(
            "6.1", "DATA that is padding alone",
            Frame.headers(1, valid) + Frame.data(1, [2, 0, 0], Frame.padded), .ignored),
    ]

    static let headers = [
        ConformanceCase(
            "6.2", "HEADERS on stream 0", Frame.headers(0, valid), .connectionError([protocolError])
        ),
        ConformanceCase(
            "6.2", "HEADERS padded beyond its end",
            Frame.headers(1, [UInt8(valid.count + 1)] + valid, Frame.padded | ends),
            .connectionError([protocolError])),
        ConformanceCase(
            "6.2", "HEADERS too short for its priority",
            Frame.headers(1, [0, 0], Frame.hasPriority | ends),
            .connectionError([frameSizeError, protocolError])),
        ConformanceCase(
            "6.2", "HEADERS with padding and priority",
            Frame.headers(
                1, [3, 0, 0, 0, 0, 9] + HPACK.request("/test.Echo/None") + [0, 0, 0],
                Frame.padded | Frame.hasPriority | ends),
            .answered(1, "200")),
        ConformanceCase(
            "6.3", "PRIORITY on stream 0", frame(Kind.priority, on: 0, [0, 0, 0, 1, 9]),
            .ignored),
        ConformanceCase(
            "6.3", "PRIORITY of four bytes", frame(Kind.priority, on: 1, [0, 0, 0, 1]),
            .connectionError([frameSizeError])),
    ]
}
