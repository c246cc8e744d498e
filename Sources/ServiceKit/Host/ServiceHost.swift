import FoundationEssentials
public import Logging
public import RPC
import Schema
public import ServiceLifecycle
import TLS
import UnixSignals

/// One service's process: its server, its clients, its long-lived work; signals, drain, ready file.
///
/// ```swift
/// var host = ServiceHost(settings)
/// let data = try host.client(of: .data, connections)
/// let jobs = try host.jobs()
/// var router = Router()
/// router.register(TrainerHandler(jobs: jobs, data: data))
/// host.serve(router)
/// host.add("jobs") { try await jobs.run(["training": runner]) }
/// try await host.run()
/// ```
/// SIGTERM and SIGINT drain: no new calls, open ones may end within the limit for it, then the rest is
/// cancelled.
public struct ServiceHost: Sendable {
    public let settings: ServiceSettings
    public let logger: Logger
    private var parts: [Part] = []
    private var server: ServerPart?
    /// Called once the RPC server listens, before the ready file is written.
    private var beforeReady: [@Sendable (inout ReadyFile) async throws -> Void] = []

    public init(_ settings: ServiceSettings) {
        self.settings = settings
        logger = settings.logger()
    }

    /// What the server answers to health probes; nil before `serve`.
    public var health: Health? { server?.server.health }

    /// Adds work that lives as long as the service. Cancelled when the service ends.
    public mutating func add(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        parts.append(Part(name: name, body: body))
    }

    /// Adds a part with a graceful shutdown of its own, such as an HTTP server.
    public mutating func add(_ name: String, service: some Service) {
        parts.append(Part(name: name) { try await service.run() })
        parts[parts.count - 1].isGraceful = true
    }

    /// Makes a client of a service; it connects while the host runs.
    public mutating func client(
        of service: ServiceName, _ connections: ConnectionOptions,
        _ environment: HoneEnvironment = .process
    ) throws -> Client {
        client(
            of: service, at: try connections.target(of: service, environment))
    }

    /// Makes a client of a service at a given place.
    public mutating func client(of service: ServiceName, at target: Target) -> Client {
        var configuration = ClientConfiguration(tls: settings.tls)
        configuration.interceptors = [Tracing()]
        // Calls with an affinity keep to one replica; others go to the less loaded of two.
        configuration.balancing = .consistent
        // A server that says that it is not well, or is about to end, gets no new calls.
        configuration.healthService = ""
        configuration.certificatesReloaded = certificatesReloaded("of clients")
        let client = Client(target, configuration)
        add("client of \(service.rawValue)") { try await client.run() }
        return client
    }

    /// Serves the calls of a router, and `hone.Admin`, at `settings.listen`. Call it once, before what
    /// must outlive it ends.
    @discardableResult
    public mutating func serve(
        _ router: Router, _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) -> Server {
        precondition(server == nil, "a host serves one router")
        var configuration = ServerConfiguration(
            host: settings.listen.host, port: settings.listen.port, tls: settings.tls)
        configuration.interceptors = [Tracing(), CallLog(logger)]
        settings.limits.apply(to: &configuration)
        configuration.certificatesReloaded = certificatesReloaded("of the server")
        adjust(&configuration)
        var router = router
        router.register(AdminHandler(describing: router))
        let part = ServerPart(
            server: Server(configuration, router: router), drainLimit: settings.limits.drain)
        let counters = part.server.counters
        MetricsRegistry.shared.include("server") { CounterText.exposition(counters) }
        MetricsRegistry.shared.include("clients") {
            CounterText.exposition(MethodCounters.ofAllClients)
        }
        // It serves once it was announced: what runs before that, such as loading a model, may fail.
        part.server.health.hold()
        server = part
        return part.server
    }

    private func certificatesReloaded(_ place: String) -> @Sendable (TLSError?) -> Void {
        { [logger] error in
            guard let error else { return logger.notice("certificates \(place) reloaded") }
            logger.error(
                "certificates \(place) not reloaded: those read before stay in use",
                metadata: ["reason": "\(error)"])
        }
    }

    /// Adds a step between listening and being ready, for example loading a model. It may change
    /// what the ready file says.
    public mutating func beforeReady(
        _ body: @escaping @Sendable (inout ReadyFile) async throws -> Void
    ) {
        beforeReady.append(body)
    }

    /// Runs everything until a signal, a cancelled task or a part's failure ends it.
    ///
    /// - Parameter signals: false leaves the process's signals alone, as in tests.
    public func run(signals: Bool = true) async throws {
        MetricsRegistry.bootstrapMetrics()
        var services = parts.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        if let server {
            services.append(.init(service: server))
        }
        services.append(.init(service: Announcement(host: self, server: server?.server)))
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: signals ? [.sigterm, .sigint] : [], logger: quietLogger)
        configuration.maximumGracefulShutdownDuration = settings.limits.drain + .seconds(5)
        let group = ServiceGroup(configuration: configuration)
        do {
            try await group.run()
        } catch is CancellationError {
            // The caller ended it.
        }
        if let file = settings.readyFile { removeReadyFile(file) }
        logger.info("stopped")
    }

    /// The group's own account is of use only when something is looked for.
    private var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = settings.logLevel == .info ? .warning : settings.logLevel
        return quiet
    }

    fileprivate func announce(_ server: Server?) async throws {
        var address = settings.listen
        if let server { address.port = try await server.listeningPort() }
        var ready = ReadyFile(address: "\(address)")
        for step in beforeReady { try await step(&ready) }
        server?.health.release()
        if let file = settings.readyFile { try ready.write(to: file) }
        var metadata: Logger.Metadata = [
            "address": "\(ready.address)", "data_directory": "\(settings.dataDirectory)",
            "tls": settings.tls == nil ? "no" : "yes",
        ]
        if let http = ready.http { metadata["http"] = "\(http)" }
        logger.info("serving", metadata: metadata)
    }

    private func removeReadyFile(_ path: String) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            logger.debug("no ready file to remove", metadata: ["path": "\(path)"])
        }
    }
}

/// Work that lives as long as the service.
private struct Part: Service {
    let name: String
    let body: @Sendable () async throws -> Void
    /// Whether the body heeds graceful shutdown itself, instead of being cancelled.
    var isGraceful = false

    func run() async throws {
        if isGraceful { return try await body() }
        try await cancelWhenGracefulShutdown {
            do {
                try await body()
            } catch is CancellationError {
                // Ended because the service ends.
            }
        }
    }
}

/// The RPC server: drained first, cancelled when the drain takes too long.
private struct ServerPart: Service {
    let server: Server
    let drainLimit: Duration

    func run() async throws {
        let (draining, began) = AsyncStream.makeStream(of: Void.self)
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                group.addTask {
                    for await _ in draining { break }
                    try await Task.sleep(for: drainLimit)
                }
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            server.drain()
            began.yield()
        }
    }
}

/// Tells that the service serves, then waits for its end.
private struct Announcement: Service {
    let host: ServiceHost
    let server: Server?

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await host.announce(server)
                try await gracefulShutdown()
            } catch is CancellationError {
                // Ended because the service ends.
            }
        }
    }
}
