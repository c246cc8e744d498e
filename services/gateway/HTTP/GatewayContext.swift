package import Hummingbird
import NIOCore

/// What is known of a request beside itself: the connection it came by.
package struct GatewayContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: any Channel

    package init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Tells if the caller goes away, until that is not of interest any more; the connection can be
    /// used again then.
    func watch(_ whenGone: @escaping @Sendable () -> Void) async throws -> ConnectionWatch {
        let watch = ConnectionWatch(whenGone)
        try await channel.pipeline.addHandler(watch, position: .first).get()
        return watch
    }

    func end(_ watch: ConnectionWatch) {
        // A closed connection has let go of its handlers already.
        channel.pipeline.removeHandler(watch, promise: nil)
    }
}

/// Tells once the other side has closed its connection.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny

    private let whenGone: @Sendable () -> Void

    init(_ whenGone: @escaping @Sendable () -> Void) {
        self.whenGone = whenGone
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if !context.channel.isActive { whenGone() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        whenGone()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { whenGone() }
        context.fireUserInboundEventTriggered(event)
    }
}
