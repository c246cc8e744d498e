/// An HTTP/2 frame by hand, valid or not.
///
/// - Source: RFC 9113, section 4.1.
struct Frame: Equatable, Sendable {
    /// The types of RFC 9113, section 6, with their numbers.
    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let pushPromise: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    static let endStream: UInt8 = 0x1
    static let acknowledged: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let hasPriority: UInt8 = 0x20

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    init(_ type: UInt8, _ flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.type = type
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    /// A frame of the connection without flags.
    init(_ type: UInt8, _ payload: [UInt8]) {
        self.init(type, 0, on: 0, payload)
    }

    var bytes: [UInt8] {
        let count = UInt32(payload.count)
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
            + bigEndian(stream) + payload
    }

    /// The number in a RST_STREAM, or in a GOAWAY after its stream.
    var errorCode: UInt32? {
        let start = type == Kind.goAway ? 4 : 0
        guard payload.count >= start + 4 else { return nil }
        return payload[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    // MARK: Frames that tests send

    static func headers(
        _ stream: UInt32, _ block: [UInt8], _ flags: UInt8 = endHeaders
    ) -> [UInt8] {
        Frame(Kind.headers, flags, on: stream, block).bytes
    }

    static func data(_ stream: UInt32, _ payload: [UInt8], _ flags: UInt8 = 0) -> [UInt8] {
        Frame(Kind.data, flags, on: stream, payload).bytes
    }

    static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] {
        Frame(Kind.reset, on: stream, bigEndian(code)).bytes
    }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        Frame(Kind.windowUpdate, on: stream, bigEndian(increment)).bytes
    }

    static func settings(_ values: [(UInt16, UInt32)] = []) -> [UInt8] {
        let payload = values.flatMap { id, value in
            [UInt8(id >> 8), UInt8(id & 255)] + bigEndian(value)
        }
        return Frame(Kind.settings, payload).bytes
    }

    static let settingsAcknowledged = Frame(Kind.settings, acknowledged).bytes

    static func ping(_ payload: UInt32 = 0, _ flags: UInt8 = 0) -> [UInt8] {
        Frame(Kind.ping, flags, on: 0, [0, 0, 0, 0] + bigEndian(payload)).bytes
    }

    static func goAway(last: UInt32, _ code: UInt32, _ text: String = "") -> [UInt8] {
        Frame(Kind.goAway, bigEndian(last) + bigEndian(code) + Array(text.utf8)).bytes
    }

    /// A whole call with one message.
    static func call(
        _ stream: UInt32, _ path: String = "/test.Echo/Unary", _ message: [UInt8] = [1, 2, 3]
    ) -> [UInt8] {
        headers(stream, HPACK.request(path)) + data(stream, prefixed(message), endStream)
    }

    /// A message in gRPC's framing.
    static func prefixed(_ message: [UInt8], flag: UInt8 = 0, length: UInt32? = nil) -> [UInt8] {
        [flag] + bigEndian(length ?? UInt32(message.count)) + message
    }
}

func bigEndian(_ value: UInt32) -> [UInt8] {
    [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
}

/// Header blocks by hand: literals without indexing, and whatever else a test wants.
///
/// - Source: RFC 7541.
enum HPACK {
    typealias Field = (name: String, value: String)

    static func block(_ fields: [Field]) -> [UInt8] {
        fields.flatMap { literal($0.name, $0.value) }
    }

    static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0x00] + text(Array(name.utf8)) + text(Array(value.utf8))
    }

    /// A literal that enters the dynamic table.
    static func indexed(_ name: String, _ value: String) -> [UInt8] {
        [0x40] + text(Array(name.utf8)) + text(Array(value.utf8))
    }

    static func text(_ bytes: [UInt8]) -> [UInt8] { number(bytes.count, prefix: 7) + bytes }

    /// - Source: RFC 7541, section 5.1.
    static func number(_ value: Int, prefix: Int, pattern: UInt8 = 0) -> [UInt8] {
        let limit = (1 << prefix) - 1
        guard value >= limit else { return [pattern | UInt8(value)] }
        var bytes = [pattern | UInt8(limit)]
        var rest = value - limit
        while rest >= 128 {
            bytes.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func fields(_ path: String = "/test.Echo/Unary") -> [Field] {
        [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
            ("te", "trailers"), ("content-type", "application/grpc"),
        ]
    }

    static func request(_ path: String = "/test.Echo/Unary", _ more: [Field] = []) -> [UInt8] {
        block(fields(path) + more)
    }

    /// The request without a field of this name, and with `more` behind or in front.
    static func request(
        without name: String, ahead: [Field] = [], _ more: [Field] = []
    ) -> [UInt8] {
        block(ahead + fields().filter { $0.name != name } + more)
    }

    static let response = block([(":status", "200"), ("content-type", "application/grpc")])
    static let success = block([("grpc-status", "0")])
}
