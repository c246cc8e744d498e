import HTTP2

/// A session whose owner acts on what it is told as a connection does, while the peer sends
/// anything.
struct SessionFuzz {
    private let role: Session.Role
    private let session: Session
    /// The time stands still, so that nothing is forgiven.
    private let now = ContinuousClock.now
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let request = HeaderList([
        (":method", "POST"), (":scheme", "http"), (":path", "/a/b"), (":authority", "x"),
    ])

    init(_ role: Session.Role) throws {
        self.role = role
        var limits = SessionLimits()
        limits.maximumConcurrentStreams = 20
        limits.streamWindowBytes = 4000
        limits.headerListBytes = 500
        session = try Session(role: role, limits: limits, at: now)
        if role == .client {
            for number in 0..<4 {
                let stream = try session.request(Self.request, endsStream: number == 0)
                session.send(stream, Chunk([UInt8](repeating: 1, count: number * 30_000)))
                if number == 1 { try session.finish(stream) }
            }
        }
        try produce()
    }

    func feedBytes(_ source: inout ByteSource) throws {
        if source.byte() % 4 != 0 { _ = try feed(opening) }
        while !source.isEmpty {
            guard try feed(source.bytes(1 + Int(source.byte()))) else { return }
        }
    }

    func feedFrames(_ source: inout ByteSource) throws {
        guard try feed(opening) else { return }
        while !source.isEmpty {
            var bytes = frame(&source)
            // Frames are also cut, and come several at once.
            if source.byte() % 8 == 0, !bytes.isEmpty { bytes.removeLast() }
            guard try feed(bytes) else { return }
        }
    }

    private var opening: [UInt8] {
        (role == .server ? Self.preface : []) + [
            0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0,
        ]
    }

    /// A frame of a few fields that are usually right.
    private func frame(_ source: inout ByteSource) -> [UInt8] {
        let choice = source.byte()
        let type = choice & 0x0F
        let flags = choice & 0x10 == 0 ? [0x4, 0x5, 0x0, 0x1][Int(choice >> 6)] : source.byte()
        let stream = source.byte() % 12
        var payload: [UInt8]
        switch type {
        case 1, 5, 9, 11: payload = block(&source)
        case 3, 8: payload = [0, 0, 0, source.byte()]
        case 4: payload = [0, source.byte() % 10, 0, source.byte(), source.byte(), source.byte()]
        case 6: payload = [0, 0, 0, 0, 0, 0, 0, source.byte()]
        case 7: payload = [0, 0, 0, source.byte(), 0, 0, 0, source.byte()]
        default: payload = source.bytes(Int(source.byte()))
        }
        if choice & 0x20 != 0 { payload += source.bytes(Int(source.byte() % 16)) }
        let length = payload.count
        return [0, UInt8(length >> 8), UInt8(length & 255), type % 11, flags, 0, 0, 0, stream]
            + payload
    }

    /// A header block: a valid one, often with more behind it.
    private func block(_ source: inout ByteSource) -> [UInt8] {
        let choice = source.byte()
        var bytes: [UInt8] =
            role == .server ? [0x83, 0x86, 0x84, 0x41, 0x01, 0x78] : [0x88]
        if choice % 4 == 0 { bytes = [] }
        if choice % 3 == 0 { bytes += [0x0F, 0x0D, 0x01, source.byte() % 10 + 48] }
        if choice % 5 == 0 { bytes += source.bytes(Int(source.byte() % 64)) }
        if choice % 7 == 0 {
            bytes += [0x40, 1, 0x61, 0x7F, 0x20] + [UInt8](repeating: 0x62, count: 159)
            bytes += [UInt8](repeating: 0xBE, count: Int(source.byte()))
        }
        return bytes
    }

    /// Lets the session take bytes, and acts; false once the connection is over.
    private func feed(_ bytes: [UInt8]) throws -> Bool {
        var isOver = false
        do {
            try session.receive(bytes, at: now)
        } catch {
            isOver = true
        }
        var events: [Event] = []
        session.takeEvents(into: &events)
        for event in events { act(on: event, bytes.count) }
        if isOver { session.terminate(.protocolError) }
        try produce()
        session.takeEvents(into: &events)
        for event in events { act(on: event, bytes.count) }
        try require(
            session.openStreamCount <= 64, "\(session.openStreamCount) streams are open")
        for stream in session.openStreams {
            try require(stream.unconsumedBytes <= 70_000, "\(stream.unconsumedBytes) bytes wait")
        }
        return !isOver && session.isAlive
    }

    private func act(on event: Event, _ inputBytes: Int) {
        switch event {
        case .headers(let stream, let block):
            guard role == .server, !stream.isClosed else { return }
            _ = block.fields.pairs
            if stream.id % 3 == 0 { return session.reset(stream, .cancel) }
            let response = HeaderList([(":status", "200")])
            // What cannot be answered any more is refused by the session.
            try? session.respond(stream, response, endsStream: stream.id % 5 == 0)
            session.send(stream, Chunk([UInt8](repeating: 7, count: 40_000)))
        case .data(let stream, let range):
            precondition(range.upperBound <= inputBytes, "\(range) of \(inputBytes) bytes")
            if stream.id % 4 == 1 { session.consume(stream, stream.unconsumedBytes) }
        case .end(let stream):
            guard role == .server, !stream.isClosed else { return }
            try? session.finish(stream, trailers: HeaderList([("grpc-status", "0")]))
        case .wrote(let stream): _ = stream.takeWrittenBytes()
        case .closed, .goAway, .pingAcknowledged, .settings, .abused: break
        }
    }

    /// Takes all that the session has to say, which must come to an end.
    private func produce() throws {
        for _ in 0..<1000 {
            let bytes: [UInt8]
            do {
                bytes = try session.produce(upTo: 64 << 10)
            } catch {
                return
            }
            if bytes.isEmpty { return }
        }
        throw FuzzFailure("the session never stops sending")
    }
}
