import HTTP2

/// A client and a server session whose bytes are carried by hand.
final class Pair {
    enum Seen: Equatable {
        case headers(Int32, [String], ends: Bool)
        case truncatedHeaders(Int32)
        case data(Int32, [UInt8])
        case end(Int32)
        case closed(Int32, ErrorCode)
        case goAway(Int32, ErrorCode)
        case pong(UInt64)
        case abused(String)
    }

    let client: Session
    let server: Session
    var clientSaw: [Seen] = []
    var serverSaw: [Seen] = []
    /// The server's streams, by number.
    var serverStreams: [Int32: HTTP2.Stream] = [:]
    var time = ContinuousClock.now
    /// How many bytes a call of `produce` may make.
    var outputBytes = 64 << 10
    private var events: [Event] = []

    init(
        client: SessionLimits = SessionLimits(), server: SessionLimits = SessionLimits()
    ) throws {
        self.client = try Session(role: .client, limits: client)
        self.server = try Session(role: .server, limits: server)
        try exchange()
    }

    /// Carries bytes both ways until neither side has more to say.
    func exchange() throws {
        var isMoving = true
        while isMoving {
            let toServer = try output(of: client)
            try server.receive(toServer, at: time)
            record(server, toServer, into: &serverSaw)
            let toClient = try output(of: server)
            try client.receive(toClient, at: time)
            record(client, toClient, into: &clientSaw)
            isMoving = !toServer.isEmpty || !toClient.isEmpty
        }
    }

    /// Gives the server bytes that no client session would send.
    func inject(_ bytes: [UInt8]) throws {
        try server.receive(bytes, at: time)
        record(server, bytes, into: &serverSaw)
    }

    func output(of session: Session) throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let part = try session.produce(upTo: outputBytes)
            all += part
            if part.isEmpty { return all }
        }
    }

    private func record(_ session: Session, _ bytes: [UInt8], into seen: inout [Seen]) {
        session.takeEvents(into: &events)
        for event in events {
            switch event {
            case .headers(let stream, let block):
                if session.role == .server { serverStreams[stream.id] = stream }
                if block.isTruncated { seen.append(.truncatedHeaders(stream.id)) }
                let lines = block.fields.pairs.map { "\($0.name): \($0.value)" }
                seen.append(.headers(stream.id, lines, ends: block.endsStream))
            case .data(let stream, let range):
                if case .data(let id, let earlier) = seen.last, id == stream.id {
                    seen[seen.count - 1] = .data(id, earlier + bytes[range])
                } else {
                    seen.append(.data(stream.id, Array(bytes[range])))
                }
            case .end(let stream): seen.append(.end(stream.id))
            case .closed(let stream, let code): seen.append(.closed(stream.id, code))
            case .goAway(let last, let code, _): seen.append(.goAway(last, code))
            case .pingAcknowledged(let payload): seen.append(.pong(payload))
            case .abused(let reason): seen.append(.abused(reason))
            case .wrote(let stream): _ = stream.takeWrittenBytes()
            case .settings: break
            }
        }
    }
}
