import Testing

/// Frames that a hostile client sends again and again.
struct Flood: Sendable, CustomTestStringConvertible {
    enum End: Sendable {
        /// The server sends the client away, before it has sent all.
        case sentAway
        /// The server bears it: it costs no more than honest traffic of as many bytes.
        case borne
    }

    let name: String
    let rounds: Int
    let end: End
    /// What is sent once, first.
    let opening: [UInt8]
    let round: @Sendable (Int) -> [UInt8]

    var testDescription: String { name }

    init(
        _ name: String, _ end: End, rounds: Int, opening: [UInt8] = [],
        _ round: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.name = name
        self.end = end
        self.rounds = rounds
        self.opening = opening
        self.round = round
    }

    private typealias Kind = Frame.Kind
    private static let ends = Frame.endHeaders | Frame.endStream

    private static func id(_ round: Int) -> UInt32 { UInt32(2 * round + 1) }

    static let all = frames + streams + blocks

    static let frames = [
        Flood("SETTINGS", .sentAway, rounds: 20_000) { _ in Frame.settings([(4, 65_535)]) },
        Flood("SETTINGS of 10,000 entries", .sentAway, rounds: 20) { _ in
            Frame.settings([(UInt16, UInt32)](repeating: (4, 1), count: 10_000))
        },
        Flood("PING", .sentAway, rounds: 20_000) { Frame.ping(UInt32($0)) },
        Flood("answers to no PING", .sentAway, rounds: 20_000) {
            Frame.ping(UInt32($0), Frame.acknowledged)
        },
        Flood("empty DATA", .sentAway, rounds: 20_000, opening: hold) { _ in Frame.data(1, []) },
        Flood("DATA of one byte", .borne, rounds: 20_000, opening: collect) { _ in
            Frame.data(1, [0])
        },
        Flood("DATA of padding alone", .borne, rounds: 4000, opening: collect) { _ in
            Frame.data(1, [255] + [UInt8](repeating: 0, count: 255), Frame.padded)
        },
        Flood("empty messages", .borne, rounds: 2000, opening: collect) { _ in
            Frame.data(1, [UInt8](repeating: 0, count: 100))
        },
        Flood("WINDOW_UPDATE of one byte", .sentAway, rounds: 60_000) { _ in
            Frame.windowUpdate(0, 1)
        },
        Flood("WINDOW_UPDATE of a stream", .sentAway, rounds: 60_000, opening: hold) { _ in
            Frame.windowUpdate(1, 1)
        },
        Flood("PRIORITY", .sentAway, rounds: 20_000) { round in
            Frame(Kind.priority, 0, on: id(round), bigEndian(1) + [9]).bytes
        },
        Flood("frames of unknown types", .borne, rounds: 20_000) { round in
            Frame(UInt8(16 + round % 100), 0, on: 0, [1, 2, 3]).bytes
        },
        Flood("GOAWAY", .sentAway, rounds: 20_000, opening: hold) { _ in
            Frame.goAway(last: 0, 0, String(repeating: "x", count: 200))
        },
    ]

    private static let hold = Frame.headers(1, HPACK.request("/test.Echo/Hold"))
    private static let collect = Frame.headers(1, HPACK.request("/test.Echo/Collect"))

    private static let over = Frame.reset(1)

    static let streams = [
        Flood("rapid reset", .sentAway, rounds: 20_000) { round in
            Frame.headers(id(round), HPACK.request()) + Frame.reset(id(round))
        },
        Flood("rapid reset of calls that have begun", .sentAway, rounds: 20_000) { round in
            Frame.call(id(round), "/test.Echo/Hold") + Frame.reset(id(round))
        },
        Flood("made you reset: DATA beyond content-length", .sentAway, rounds: 20_000) { round in
            Frame.headers(id(round), HPACK.request("/test.Echo/Hold", [("content-length", "0")]))
                + Frame.data(id(round), [1])
        },
        Flood("made you reset: a window beyond its limit", .sentAway, rounds: 20_000) { round in
            Frame.headers(id(round), HPACK.request("/test.Echo/Hold"))
                + Frame.windowUpdate(id(round), (1 << 31) - 1)
        },
        Flood("made you reset: headers of no request", .sentAway, rounds: 20_000) { round in
            Frame.headers(id(round), HPACK.block([("a", "b")]), ends)
        },
        Flood("empty HEADERS", .sentAway, rounds: 20_000) { Frame.headers(id($0), [], ends) },
        Flood("streams that are never ended", .sentAway, rounds: 2000) { round in
            Frame.headers(id(round), HPACK.request("/test.Echo/Collect"))
        },
        Flood("HEADERS of a stream that is over", .borne, rounds: 5000, opening: hold + over) { _ in
            Frame.headers(1, HPACK.request())
        },
    ]

    /// An entry of 4000 bytes for the dynamic table, named by each further byte of the block.
    private static let bomb = {
        let entry = HPACK.request() + HPACK.indexed("x-bomb", String(repeating: "b", count: 4000))
        return entry + [UInt8](repeating: 0xBE, count: 48 << 10)
    }()

    static let blocks = [
        Flood("CONTINUATION", .sentAway, rounds: 20_000, opening: Frame.headers(1, [], 0)) { _ in
            Frame(Kind.continuation, 0, on: 1, []).bytes
        },
        Flood(
            "CONTINUATION of 60 KiB", .sentAway, rounds: 200,
            opening: Frame.headers(1, HPACK.request(), 0)
        ) { _ in
            let literal = HPACK.literal("x-a", String(repeating: "v", count: 6000))
            let block = [[UInt8]](repeating: literal, count: 10).flatMap { $0 }
            return Frame(Kind.continuation, 0, on: 1, block).bytes
        },
        Flood("header bombs", .sentAway, rounds: 2000) { Frame.headers(id($0), bomb, ends) },
        Flood("header lists of one field too many", .borne, rounds: 300) { round in
            let fields = (0..<18).map { ("x-\($0)", String(repeating: "v", count: 1000)) }
            return Frame.headers(id(round), HPACK.request("/test.Echo/Unary", fields), ends)
        },
    ]
}
