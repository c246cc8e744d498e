import HTTP2
import Testing

/// The order in which the frames of several streams leave.
@Suite struct FairnessTests {
    private let request = HeaderList([
        (":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "test"),
    ])

    /// The streams of the frames with data, in the order in which they arrive.
    private func order(_ seen: [Pair.Seen]) -> [Int32] {
        seen.compactMap { if case .data(let id, _) = $0 { id } else { nil } }
    }

    @Test func `a large answer takes turns with others`() throws {
        let pair = try Pair()
        let large = try pair.client.request(request, endsStream: true)
        let small = try pair.client.request(request, endsStream: true)
        try pair.exchange()
        let answers = try [large, small].map { try #require(pair.serverStreams[$0.id]) }
        for answer in answers { try pair.server.respond(answer, HeaderList([(":status", "200")])) }
        pair.server.send(answers[0], Chunk([UInt8](repeating: 1, count: 900_000)))
        pair.server.takeTurns(answers[0])
        pair.server.send(answers[1], Chunk([2]))
        for answer in answers { try pair.server.finish(answer) }
        try pair.exchange()
        // One frame of the large one at most, then the small one.
        let order = order(pair.clientSaw)
        #expect(order.prefix(3).contains(small.id))
        #expect(order.last == large.id)
    }

    @Test func `two large answers share the connection`() throws {
        let pair = try Pair()
        let requests = try [0, 1].map { _ in try pair.client.request(request, endsStream: true) }
        try pair.exchange()
        for request in requests {
            let answer = try #require(pair.serverStreams[request.id])
            try pair.server.respond(answer, HeaderList([(":status", "200")]))
            pair.server.send(answer, Chunk([UInt8](repeating: 1, count: 600_000)))
            pair.server.takeTurns(answer)
            try pair.server.finish(answer)
        }
        try pair.exchange()
        let order = order(pair.clientSaw)
        let changes = zip(order, order.dropFirst()).filter { $0 != $1 }.count
        #expect(changes >= 8, "\(order)")
    }
}
