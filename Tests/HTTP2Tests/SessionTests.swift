import HTTP2
import Testing

/// Requests and answers between two sessions in memory.
struct SessionTests {
    static let request = HeaderList([
        (":method", "POST"), (":scheme", "http"), (":path", "/hone.Data/List"),
        (":authority", "test"), ("te", "trailers"),
    ])
    static let response = HeaderList([(":status", "200"), ("content-type", "application/grpc")])
    static let trailers = HeaderList([("grpc-status", "0")])

    @Test func `a request is answered with headers, data and trailers`() throws {
        let pair = try Pair()
        let stream = try pair.client.request(Self.request)
        pair.client.send(stream, Chunk(flag: 0, length: 3, body: [1, 2, 3]))
        try pair.client.finish(stream)
        try pair.exchange()
        let requestLines = Self.request.pairs.map { "\($0.name): \($0.value)" }
        #expect(
            pair.serverSaw == [
                .headers(1, requestLines, ends: false), .data(1, [0, 0, 0, 0, 3, 1, 2, 3]),
                .end(1),
            ])
        let answered = try #require(pair.serverStreams[1])
        try pair.server.respond(answered, Self.response)
        pair.server.send(answered, Chunk([9, 9]))
        try pair.server.finish(answered, trailers: Self.trailers)
        try pair.exchange()
        #expect(
            pair.clientSaw == [
                .headers(1, [":status: 200", "content-type: application/grpc"], ends: false),
                .data(1, [9, 9]), .headers(1, ["grpc-status: 0"], ends: true), .end(1),
                .closed(1, .noError),
            ])
        #expect(pair.client.openStreamCount == 0)
        #expect(pair.server.openStreamCount == 0)
    }

    @Test func `an answer may be trailers alone`() throws {
        let pair = try Pair()
        let stream = try pair.client.request(Self.request, endsStream: true)
        try pair.exchange()
        try pair.server.respond(
            try #require(pair.serverStreams[stream.id]),
            HeaderList([(":status", "200"), ("grpc-status", "12")]), endsStream: true)
        try pair.exchange()
        #expect(
            pair.clientSaw.first == .headers(1, [":status: 200", "grpc-status: 12"], ends: true))
        #expect(pair.clientSaw.last == .closed(1, .noError))
    }

    @Test func `trailers after a pause need no empty DATA frame`() throws {
        let pair = try Pair()
        _ = try pair.client.request(Self.request, endsStream: true)
        try pair.exchange()
        let stream = try #require(pair.serverStreams[1])
        try pair.server.respond(stream, Self.response)
        pair.server.send(stream, Chunk([1]))
        try pair.exchange()
        try pair.server.finish(stream, trailers: Self.trailers)
        let bytes = try pair.output(of: pair.server)
        // One HEADERS frame: type 1, END_HEADERS and END_STREAM.
        #expect(bytes[3] == 1)
        #expect(bytes[4] == 5)
        #expect(bytes.count == 9 + Int(bytes[2]))
    }

    @Test(arguments: [(16 << 10) + 9, 20_000, 64 << 10, 1 << 20])
    func `large messages arrive whole whatever the output buffer`(outputBytes: Int) throws {
        let pair = try Pair()
        pair.outputBytes = outputBytes
        var body = [UInt8](repeating: 0, count: 300_000)
        for index in body.indices { body[index] = UInt8(truncatingIfNeeded: index &* 31) }
        let stream = try pair.client.request(Self.request)
        for _ in 0..<3 {
            pair.client.send(stream, Chunk(flag: 1, length: UInt32(body.count), body: body))
        }
        try pair.client.finish(stream)
        try pair.exchange()
        let framed = [1] + [0, 4, 0x93, 0xE0] + body
        #expect(pair.serverSaw.contains(.data(1, framed + framed + framed)))
        #expect(pair.serverSaw.last == .end(1))
    }

    @Test func `unread bytes close the window and reading opens it`() throws {
        var limits = SessionLimits()
        limits.streamWindowBytes = 64 << 10
        let pair = try Pair(server: limits)
        let stream = try pair.client.request(Self.request)
        pair.client.send(stream, Chunk([UInt8](repeating: 7, count: 200_000)))
        try pair.exchange()
        let received = try #require(pair.serverStreams[1])
        #expect(received.unconsumedBytes == 64 << 10)
        #expect(stream.queuedBytes == 200_000 - 64 << 10)
        pair.server.consume(received, received.unconsumedBytes)
        try pair.exchange()
        #expect(received.unconsumedBytes == 64 << 10)
        #expect(stream.queuedBytes == 200_000 - 128 << 10)
    }

    @Test func `bytes of a stream given up do not leak the connection's window`() throws {
        var limits = SessionLimits()
        limits.streamWindowBytes = 64 << 10
        limits.connectionWindowBytes = 128 << 10
        let pair = try Pair(server: limits)
        for _ in 0..<20 {
            let stream = try pair.client.request(Self.request)
            pair.client.send(stream, Chunk([UInt8](repeating: 7, count: 60_000)))
            try pair.exchange()
            #expect(stream.queuedBytes == 0)
            pair.server.reset(try #require(pair.serverStreams[stream.id]), .cancel)
            try pair.exchange()
        }
    }

    @Test func `a stream may be given up while a frame of its waits for room`() throws {
        let pair = try Pair()
        let stream = try pair.client.request(Self.request)
        pair.client.send(stream, Chunk([UInt8](repeating: 7, count: 100_000)))
        // The headers take some of the room, so that the second frame of data finds too little.
        let first = try pair.client.produce(upTo: Session.minimumOutputBytes)
        #expect(!first.isEmpty && pair.client.wantsToWrite)
        pair.client.reset(stream, .cancel)
        pair.client.send(stream, Chunk([1]))
        try pair.server.receive(first, at: pair.time)
        try pair.exchange()
        #expect(pair.serverSaw.last == .closed(stream.id, .cancel))
        #expect(stream.queuedBytes == 0)
    }

    @Test func `streams that nobody reads leave the connection to others`() throws {
        var limits = SessionLimits()
        limits.streamWindowBytes = 64 << 10
        limits.connectionWindowBytes = 128 << 10
        let pair = try Pair(server: limits)
        for _ in 0..<9 {
            let stream = try pair.client.request(Self.request)
            pair.client.send(stream, Chunk([UInt8](repeating: 7, count: 100_000)))
            try pair.exchange()
            #expect(pair.serverStreams[stream.id]?.unconsumedBytes == 64 << 10)
        }
        let tenth = try pair.client.request(Self.request)
        pair.client.send(tenth, Chunk([1]))
        try pair.exchange()
        #expect(pair.serverSaw.last == .data(tenth.id, [1]))
    }

    @Test func `a reset reaches the other side with its code`() throws {
        let pair = try Pair()
        let stream = try pair.client.request(Self.request)
        try pair.exchange()
        pair.client.reset(stream, .cancel)
        try pair.exchange()
        #expect(pair.serverSaw.last == .closed(1, .cancel))
        #expect(pair.clientSaw.last == .closed(1, .cancel))
    }

    @Test func `a ping is answered with its payload`() throws {
        let pair = try Pair()
        try pair.client.ping(0x0102_0304_0506_0708)
        try pair.exchange()
        #expect(pair.clientSaw == [.pong(0x0102_0304_0506_0708)])
    }

    @Test func `a graceful end lets open streams finish and takes no new ones`() throws {
        let pair = try Pair()
        let stream = try pair.client.request(Self.request)
        try pair.exchange()
        try pair.server.announceShutdown()
        try pair.exchange()
        #expect(pair.clientSaw == [.goAway(Int32.max, .noError)])
        try pair.server.goAway()
        try pair.exchange()
        #expect(pair.clientSaw.last == .goAway(stream.id, .noError))
        #expect(throws: HTTP2Error.self) {
            _ = try pair.client.request(Self.request)
            try pair.exchange()
            throw HTTP2Error.noMoreStreams
        }
        try pair.client.finish(stream)
        try pair.server.respond(try #require(pair.serverStreams[1]), Self.response)
        try pair.server.finish(try #require(pair.serverStreams[1]), trailers: Self.trailers)
        try pair.exchange()
        #expect(pair.clientSaw.contains(.closed(1, .noError)))
        #expect(!pair.server.isAlive)
    }

    @Test func `requests above the peer's limit wait their turn`() throws {
        var limits = SessionLimits()
        limits.maximumConcurrentStreams = 2
        let pair = try Pair(server: limits)
        let streams = try (0..<3).map { _ in try pair.client.request(Self.request) }
        try pair.exchange()
        #expect(streams.map(\.wasSent) == [true, true, false])
        pair.client.reset(streams[0], .cancel)
        try pair.exchange()
        #expect(streams[2].wasSent)
    }

    @Test func `a request that never left is closed as refused`() throws {
        var limits = SessionLimits()
        limits.maximumConcurrentStreams = 1
        let pair = try Pair(server: limits)
        _ = try pair.client.request(Self.request)
        let waiting = try pair.client.request(Self.request)
        try pair.exchange()
        try pair.server.goAway()
        try pair.exchange()
        pair.client.reset(try #require(pair.client.openStreams.first { $0.id == 1 }), .cancel)
        try pair.exchange()
        #expect(pair.clientSaw.contains(.closed(waiting.id, .refusedStream)))
    }
}
