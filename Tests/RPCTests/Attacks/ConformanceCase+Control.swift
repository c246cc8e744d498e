extension ConformanceCase {
    private typealias Kind = Frame.Kind

    private static func frame(
        _ type: UInt8, _ flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        Frame(type, flags, on: stream, payload).bytes
    }

    private static func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        Frame(type, payload).bytes
    }

    private static func setting(
        _ name: String, _ id: UInt16, _ value: UInt32, _ outcome: Outcome
    ) -> ConformanceCase {
        ConformanceCase("6.5.2", name, Frame.settings([(id, value)]), outcome)
    }

    // MARK: Sections 6.4 to 6.8

    static let control = [
        ConformanceCase(
            "6.4", "RST_STREAM on stream 0", Frame.reset(0), .connectionError([protocolError])),
        ConformanceCase(
            "6.4", "RST_STREAM of three bytes",
            Frame.headers(1, HPACK.request()) + frame(Kind.reset, on: 1, [0, 0, 0]),
            .connectionError([frameSizeError])),
        ConformanceCase(
            "6.5", "an acknowledgement of SETTINGS with a payload",
            frame(Kind.settings, Frame.acknowledged, on: 0, [0]), .connectionError([frameSizeError])
        ),
        ConformanceCase(
            "6.5", "an acknowledgement of SETTINGS that were not sent",
            Frame.settingsAcknowledged + Frame.settingsAcknowledged + Frame.settingsAcknowledged,
            .connectionError([protocolError])),
        ConformanceCase(
            "6.5", "SETTINGS on stream 1", frame(Kind.settings, on: 1),
            .connectionError([protocolError])),
        ConformanceCase(
            "6.5", "SETTINGS of five bytes", frame(Kind.settings, [0, 3, 0, 0, 0]),
            .connectionError([frameSizeError])),
        setting("ENABLE_PUSH 2", 2, 2, .connectionError([protocolError])),
        setting("INITIAL_WINDOW_SIZE 2^31", 4, 1 << 31, .connectionError([flowControlError])),
        setting("MAX_FRAME_SIZE 16383", 5, 16383, .connectionError([protocolError])),
        setting("MAX_FRAME_SIZE 2^24", 5, 1 << 24, .connectionError([protocolError])),
        setting("NO_RFC7540_PRIORITIES 2", 9, 2, .connectionError([protocolError])),
        setting("an unknown setting", 0xFF, 1, .ignored),
        setting("HEADER_TABLE_SIZE 2^32 - 1", 1, .max, .ignored),
        setting("MAX_CONCURRENT_STREAMS 0", 3, 0, .ignored),
        setting("MAX_HEADER_LIST_SIZE 2^32 - 1", 6, .max, .ignored),
        ConformanceCase(
            "6.6", "PUSH_PROMISE from a client",
            Frame.headers(1, HPACK.request())
                + frame(
                    Kind.pushPromise, Frame.endHeaders, on: 1, bigEndian(2) + HPACK.request()),
            .connectionError([protocolError])),
        ConformanceCase(
            "6.7", "PING on stream 1", frame(Kind.ping, on: 1, [UInt8](repeating: 0, count: 8)),
            .connectionError([protocolError])),
        ConformanceCase(
            "6.7", "PING of six bytes", frame(Kind.ping, [UInt8](repeating: 0, count: 6)),
            .connectionError([frameSizeError])),
        ConformanceCase(
            "6.7", "an acknowledgement of a PING that was not sent",
            Frame.ping(9, Frame.acknowledged), .ignored),
        ConformanceCase(
            "6.8", "GOAWAY on stream 1", frame(Kind.goAway, on: 1, bigEndian(0) + bigEndian(0)),
            .connectionError([protocolError])),
        ConformanceCase(
            "6.8", "GOAWAY of seven bytes", frame(Kind.goAway, [0, 0, 0, 0, 0, 0, 0]),
            .connectionError([frameSizeError])),
    ]

    // MARK: Section 6.9

    private static let most: UInt32 = (1 << 31) - 1

    static let windows = [
        ConformanceCase(
            "6.9", "WINDOW_UPDATE of three bytes", frame(Kind.windowUpdate, [0, 0, 1]),
            .connectionError([frameSizeError])),
        ConformanceCase(
            "6.9", "WINDOW_UPDATE of 0", Frame.windowUpdate(0, 0), .connectionError([protocolError])
        ),
        // One stream's fault, which the library takes for the connection's: RFC 9113 allows that.
        ConformanceCase(
            "6.9", "WINDOW_UPDATE of 0 on a stream",
            Frame.headers(1, HPACK.request()) + Frame.windowUpdate(1, 0),
            .connectionError([protocolError])),
        ConformanceCase(
            "6.9.1", "a connection's window beyond 2^31 - 1",
            Frame.windowUpdate(0, most) + Frame.windowUpdate(0, most),
            .connectionError([flowControlError])),
        ConformanceCase(
            "6.9.1", "a stream's window beyond 2^31 - 1",
            Frame.headers(1, HPACK.request()) + Frame.windowUpdate(1, most)
                + Frame.windowUpdate(1, most),
            .streamError(1, [flowControlError])),
        ConformanceCase(
            "6.9.2", "SETTINGS that take a stream's window beyond 2^31 - 1",
            Frame.headers(1, HPACK.request()) + Frame.windowUpdate(1, most - 65_535)
                + Frame.settings([(4, most)]),
            .streamError(1, [flowControlError])),
        ConformanceCase(
            "6.9.2", "SETTINGS that make a window negative, then one that opens it",
            Frame.settings([(4, 0)]) + Frame.call(1) + Frame.settings([(4, 65_535)]),
            .answered(1, "200")),
    ]

    // MARK: Section 6.10

    private static func continuation(
        _ block: some Collection<UInt8>, _ flags: UInt8 = Frame.endHeaders, on stream: UInt32 = 1
    ) -> [UInt8] {
        frame(Kind.continuation, flags, on: stream, Array(block))
    }

    static let continuations = {
        let block = HPACK.request("/test.Echo/None")
        let ended = Frame.endStream
        return [
            ConformanceCase(
                "6.10", "a header block in five parts",
                Frame.headers(1, Array(block.prefix(10)), ended) + continuation([], 0)
                    + continuation(block[10..<11], 0) + continuation(block[11..<40], 0)
                    + continuation(block[40...]), .answered(1, "200")),
            ConformanceCase(
                "6.10", "CONTINUATION after the end of a header block",
                Frame.headers(1, block, ended | Frame.endHeaders) + continuation(block),
                .connectionError([protocolError])),
            ConformanceCase(
                "6.10", "CONTINUATION on stream 0",
                Frame.headers(1, block, ended) + continuation([], on: 0),
                .connectionError([protocolError])),
            ConformanceCase(
                "6.10", "CONTINUATION of another stream",
                Frame.headers(1, block, ended) + continuation([], on: 3),
                .connectionError([protocolError])),
            ConformanceCase(
                "6.10", "DATA within a header block",
                Frame.headers(1, block, 0) + Frame.data(1, [1]),
                .connectionError([protocolError])),
            ConformanceCase(
                "6.10", "GOAWAY within a header block",
                Frame.headers(1, block, 0) + Frame.goAway(last: 0, 0),
                .connectionError([protocolError])),
        ]
    }()
}
