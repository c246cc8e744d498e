import HTTP2
import Testing

/// What a hostile peer may try, and where it ends.
struct AbuseTests {
    /// The time does not go on, so that nothing is forgiven however slow the machine is.
    private let time = ContinuousClock.now

    /// A frame by hand: length, type, flags, stream, payload.
    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8])
        -> [UInt8]
    {
        let length = UInt32(payload.count)
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
            + withBigEndian(stream) + payload
    }

    static func withBigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    /// POST http / at authority "x", from the static table and a literal.
    static let plainRequest: [UInt8] = [0x83, 0x86, 0x84, 0x41, 0x01, 0x78]

    /// The same with content-length 0.
    static let emptyRequest: [UInt8] =
        plainRequest + [0x0F, 0x0D, 0x01, 0x30]

    private func rawServer() throws -> Session {
        let server = try Session(role: .server, at: time)
        try feed(server, Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, 0, 0, []))
        _ = try server.produce(upTo: 1 << 16)
        return server
    }

    private func feed(_ session: Session, _ bytes: [UInt8]) throws {
        try session.receive(bytes, at: time)
    }

    private func abuse(of session: Session) -> String? {
        var events: [Event] = []
        session.takeEvents(into: &events)
        for case .abused(let reason) in events { return reason }
        return nil
    }

    /// Sends `frames` again and again; how many rounds the server bore before it gave up.
    private func rounds(
        of session: Session, limit: Int, _ frames: (Int) -> [UInt8]
    ) throws -> (count: Int, reason: String?) {
        for round in 0..<limit {
            do {
                try feed(session, frames(round))
                while try !session.produce(upTo: 1 << 16).isEmpty {}
            } catch {
                return (round, "\(error)")
            }
            if let reason = abuse(of: session) { return (round, reason) }
            if !session.isAlive { return (round, "ended") }
        }
        return (limit, nil)
    }

    @Test func `frames that make the server reset its streams end the connection`() throws {
        let server = try rawServer()
        let seen = try rounds(of: server, limit: 5000) { round in
            let id = UInt32(2 * round + 1)
            // One DATA byte against content-length 0: the server must reset the stream.
            return Self.frame(1, 4, id, Self.emptyRequest) + Self.frame(0, 0, id, [1])
        }
        #expect(seen.count < 600)
        #expect(seen.reason != nil)
    }

    @Test func `a flood of empty DATA frames ends the connection`() throws {
        let server = try rawServer()
        try feed(server, Self.frame(1, 4, 1, Self.plainRequest))
        let seen = try rounds(of: server, limit: 5000) { _ in Self.frame(0, 0, 1, []) }
        #expect(seen.count < 600)
        #expect(seen.reason == "too many empty DATA frames")
    }

    @Test func `a flood of one byte window updates ends the connection`() throws {
        let server = try rawServer()
        let seen = try rounds(of: server, limit: 50_000) { _ in
            Self.frame(8, 0, 0, Self.withBigEndian(1))
        }
        #expect(seen.count < 20_000)
        #expect(seen.reason == "too many tiny WINDOW_UPDATE frames")
    }

    @Test func `a flood of pings ends the connection`() throws {
        let server = try rawServer()
        let seen = try rounds(of: server, limit: 5000) { _ in
            Self.frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])
        }
        #expect(seen.count < 120)
        #expect(seen.reason == "too_many_pings")
    }

    @Test func `a flood of settings ends the connection`() throws {
        let server = try rawServer()
        let seen = try rounds(of: server, limit: 5000) { _ in Self.frame(4, 0, 0, []) }
        #expect(seen.count < 600)
        #expect(seen.reason == "too many SETTINGS frames")
    }

    @Test func `rapid resets end the connection`() throws {
        let server = try rawServer()
        let seen = try rounds(of: server, limit: 20_000) { round in
            let id = UInt32(2 * round + 1)
            return Self.frame(1, 4, id, Self.plainRequest)
                + Self.frame(3, 0, id, Self.withBigEndian(8))
        }
        // The library counts these by its own clock: 2000 at once, then 200 a second.
        #expect(seen.count < 20_000)
        #expect(seen.reason != nil)
    }

    @Test func `a header list above the limit is cut and marked`() throws {
        var limits = SessionLimits()
        limits.headerListBytes = 1000
        let pair = try Pair(server: limits)
        var headers = SessionTests.request
        for index in 0..<50 { headers.append("x-\(index)", String(repeating: "v", count: 50)) }
        _ = try pair.client.request(headers)
        try pair.exchange()
        #expect(pair.serverSaw.first == .truncatedHeaders(1))
    }

    @Test func `more streams than granted end the connection`() throws {
        var limits = SessionLimits()
        limits.maximumConcurrentStreams = 10
        let server = try Session(role: .server, limits: limits)
        try feed(server, Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, 0, 0, []))
        _ = try server.produce(upTo: 1 << 16)
        // The limit binds once the client has acknowledged it.
        try feed(server, Self.frame(4, 1, 0, []))
        for number in 0..<11 {
            try feed(server, Self.frame(1, 4, UInt32(2 * number + 1), Self.plainRequest))
        }
        while try !server.produce(upTo: 1 << 16).isEmpty {}
        #expect(server.openStreamCount <= 10)
    }

    @Test func `a peer of another protocol is named so`() throws {
        let server = try Session(role: .server)
        #expect(throws: HTTP2Error.notHTTP2) {
            try feed(server, Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `random frames never harm the server`(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let server = try rawServer()
        for _ in 0..<50 {
            let payload = (0..<next(40)).map { _ in UInt8(next(256)) }
            let frame = Self.frame(
                UInt8(next(11)), UInt8(next(256)), UInt32(next(9)), payload)
            do {
                try feed(server, frame)
                while try !server.produce(upTo: 1 << 16).isEmpty {}
            } catch is HTTP2Error {
                return
            }
        }
    }
}
