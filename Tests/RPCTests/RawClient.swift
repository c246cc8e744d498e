import HTTP2
import NIOCore
import NIOPosix

/// A client by hand: reads only when it is told to, and enforces nothing.
final class RawClient {
    /// What a stream got.
    struct Answer {
        var headers: [String: String] = [:]
        var byteCount = 0
        var trailers: [String: String] = [:]
        var isClosed = false
        var code = ErrorCode.noError
    }

    private let session: Session
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private(set) var answers: [Int32: Answer] = [:]
    private(set) var hasEnded = false
    private(set) var pongs = 0
    /// What the server said in its GOAWAY.
    private(set) var goAway: String?
    private var events: [Event] = []

    private init(
        _ session: Session, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.session = session
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Connects for as long as `body` runs.
    static func connected(
        to port: Int, _ body: (RawClient) async throws -> Void
    ) async throws {
        try await connected(to: SocketAddress(ipAddress: "127.0.0.1", port: port), body)
    }

    /// Connects to a unix socket for as long as `body` runs.
    static func connected(
        toUnix path: String, _ body: (RawClient) async throws -> Void
    ) async throws {
        try await connected(to: SocketAddress(unixDomainSocketPath: path), body)
    }

    private static func connected(
        to address: SocketAddress, _ body: (RawClient) async throws -> Void
    ) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 64 << 10)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(
                            backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            let client = RawClient(try Session(role: .client), inbound, outbound)
            try await client.flush()
            try await body(client)
        }
    }

    /// Begins a call with one message of plain bytes; the number of its stream.
    func call(
        _ path: String, _ message: [UInt8], flag: UInt8 = 0, headers: [(String, String)] = []
    ) async throws -> Int32 {
        let fields = HeaderList(
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
                ("te", "trailers"), ("content-type", "application/grpc"),
            ] + headers.map { (name: $0.0, value: $0.1) })
        let stream = try session.request(fields)
        answers[stream.id] = Answer()
        session.send(stream, Chunk(flag: flag, length: UInt32(message.count), body: message))
        try session.finish(stream)
        try await flush()
        return stream.id
    }

    /// Reads once, and gives back leave to send as much more; false at the end.
    func read() async throws -> Bool {
        guard let input = try await inbound.next(isolation: #isolation) else {
            hasEnded = true
            return false
        }
        let bytes = Array(buffer: input)
        try session.receive(bytes, at: .now)
        session.takeEvents(into: &events)
        for event in events { note(event) }
        try await flush()
        return true
    }

    /// Reads until a call has ended or the connection has; its `grpc-status`, nil of none.
    func status(of stream: Int32) async throws -> String? {
        while answers[stream]?.trailers.isEmpty == true, answers[stream]?.isClosed == false {
            guard try await read() else { break }
        }
        return answers[stream]?.trailers["grpc-status"]
    }

    private func note(_ event: Event) {
        switch event {
        case .headers(let stream, let block):
            for (name, value) in block.fields.pairs {
                if block.endsStream { answers[stream.id]?.trailers[name] = value }
                answers[stream.id]?.headers[name] = value
            }
        case .data(let stream, let range):
            answers[stream.id]?.byteCount += range.count
            session.consume(stream, range.count)
        case .closed(let stream, let code):
            answers[stream.id]?.isClosed = true
            answers[stream.id]?.code = code
        case .goAway(_, _, let message): goAway = message
        case .pingAcknowledged: pongs += 1
        default: break
        }
    }

    /// Gives a call up.
    func cancel(_ id: Int32) async throws {
        if let stream = session.openStreams.first(where: { $0.id == id }) {
            session.reset(stream, .cancel)
        }
        try await flush()
    }

    func ping(_ payload: UInt64) async throws {
        try session.ping(payload)
        try await flush()
    }

    /// Sends what there is to say. A server that has closed meanwhile does not hear it; what it said
    /// before can still be read.
    private func flush() async throws {
        while true {
            let bytes = try session.produce(upTo: 64 << 10)
            if bytes.isEmpty { return }
            do {
                try await outbound.write(ByteBuffer(bytes: bytes))
            } catch ChannelError.ioOnClosedChannel {
                return
            }
        }
    }
}
