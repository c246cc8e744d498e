package import Hummingbird
package import Logging
import NIOCore
package import ServiceKit
import ServiceLifecycle
package import TLS
import WebServing

/// The HTTP server as a part of the host; tells its port once it listens.
package struct HTTPPart: Service {
    private let responder: RouterResponder<GatewayContext>
    private let listen: ListenAddress
    private let logger: Logger
    private let tls: TLSSettings?
    private let ports: AsyncStream<Int>
    private let tellPort: AsyncStream<Int>.Continuation

    package init(
        _ routes: Router<GatewayContext>, listen: ListenAddress, logger: Logger,
        tls: TLSSettings? = nil
    ) {
        responder = routes.buildResponder()
        self.listen = listen
        self.logger = logger
        self.tls = tls
        (ports, tellPort) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func run() async throws {
        // Whoever waits for the address waits no longer where there is none.
        defer { tellPort.finish() }
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .warning }
        try await TLSFiles.http1(over: tls, logger) { server in
            let application = Application(
                responder: responder, server: server,
                configuration: ApplicationConfiguration(
                    address: .hostname(listen.host, port: listen.port), serverName: "hone"),
                onServerRunning: { channel in
                    tellPort.yield(channel.localAddress?.port ?? listen.port)
                    tellPort.finish()
                },
                logger: quiet)
            try await application.run()
        }
    }

    /// The address it serves at; waits until it does, and throws if it cannot. Ask once.
    package func address() async throws -> ListenAddress {
        for await port in ports { return ListenAddress(host: listen.host, port: port) }
        throw GatewayError.cannotListen(address: "\(listen)")
    }
}
