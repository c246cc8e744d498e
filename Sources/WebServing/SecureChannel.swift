public import HummingbirdCore
public import Logging
import NIOCore
public import TLS

extension HTTPServerBuilder {
    /// HTTP/1.1, over TLS where there are settings for it.
    ///
    /// - Parameter files: new connections use what they hold then.
    fileprivate static func http1(over files: TLSFiles?) -> HTTPServerBuilder {
        guard let files else { return .http1() }
        return HTTPServerBuilder { responder in
            SecureChannel(base: HTTP1Channel(responder: responder), files: files)
        }
    }
}

extension TLSFiles {
    /// The certificate of a server of HTTP/1.1; nil of no TLS.
    ///
    /// The authority in the settings is for services, who show certificates to each other. Callers
    /// of HTTP need none: they have keys of the API.
    private static func http1(_ settings: TLSSettings?) throws -> TLSFiles? {
        guard let settings else { return nil }
        return try TLSFiles(
            .server, TLSSettings(certificate: settings.certificate, key: settings.key),
            carrying: .http1)
    }

    /// Runs an HTTP server, looking at the files again and again, and tells the log of changes.
    public static func http1(
        over settings: TLSSettings?, _ logger: Logger,
        serve: (HTTPServerBuilder) async throws -> Void
    ) async throws {
        let files = try http1(settings)
        try await watched(files, every: .seconds(5)) { error in
            guard let error else { return logger.notice("certificates of HTTP reloaded") }
            logger.error(
                "certificates of HTTP not reloaded: those read before stay in use",
                metadata: ["reason": "\(error)"])
        } while: {
            try await serve(.http1(over: files))
        }
    }
}

/// A channel of HTTP/1.1 inside TLS.
private struct SecureChannel: ServerChildChannel {
    let base: HTTP1Channel
    let files: TLSFiles

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            let handler = try TLSHandler(files.context, serverName: nil)
            try channel.pipeline.syncOperations.addHandler(handler)
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    @concurrent
    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
