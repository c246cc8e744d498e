import HTTP2
import NIOCore
import NIOPosix

/// A server that has no health service, and answers any other call with an empty message.
final class PlainServer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: Session
    private var events: [Event] = []

    private init() throws {
        session = try Session(role: .server)
    }

    /// Listens on a port of its own.
    static func listen() async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PlainServer())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func channelActive(context: ChannelHandlerContext) {
        flush(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try session.receive(Array(buffer: unwrapInboundIn(data)), at: .now)
            session.takeEvents(into: &events)
            for case .headers(let stream, let block) in events {
                try answer(
                    stream, isHealth: block.fields.first(":path")?.contains("Health") == true)
            }
        } catch {
            context.close(promise: nil)
        }
        flush(context)
    }

    private func answer(_ stream: HTTP2.Stream, isHealth: Bool) throws {
        let headers = [(name: ":status", value: "200"), ("content-type", "application/grpc")]
        guard !isHealth else {
            let trailers = HeaderList(headers + [("grpc-status", "12")])
            return try session.respond(stream, trailers, endsStream: true)
        }
        try session.respond(stream, HeaderList(headers))
        session.send(stream, Chunk(flag: 0, length: 0, body: []))
        try session.finish(stream, trailers: HeaderList([("grpc-status", "0")]))
    }

    private func flush(_ context: ChannelHandlerContext) {
        do {
            while true {
                let bytes = try session.produce(upTo: 64 << 10)
                if bytes.isEmpty { return }
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            }
        } catch {
            context.close(promise: nil)
        }
    }
}
