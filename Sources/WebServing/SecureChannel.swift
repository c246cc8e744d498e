public import HummingbirdCore
import Logging
import NIOCore
public import TLS

extension HTTPServerBuilder {
    /// HTTP/1.1, over TLS where there are settings for it.
    ///
    /// The authority in the settings is for services, who show certificates to each other. Callers
    /// of HTTP need none: they have keys of the API.
    public static func http1(over settings: TLSSettings?) throws -> HTTPServerBuilder {
        guard let settings else { return .http1() }
        let context = try TLSContext(
            .server, TLSSettings(certificate: settings.certificate, key: settings.key),
            carrying: .http1)
        return HTTPServerBuilder { responder in
            SecureChannel(base: HTTP1Channel(responder: responder), context: context)
        }
    }
}

/// A channel of HTTP/1.1 inside TLS.
private struct SecureChannel: ServerChildChannel {
    let base: HTTP1Channel
    let context: TLSContext

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(TLSHandler(context, serverName: nil))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    @concurrent
    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
