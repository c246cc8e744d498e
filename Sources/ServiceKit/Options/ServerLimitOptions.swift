public import ArgumentParser
public import RPC

/// The flags by which every service bounds what its callers may ask of it.
public struct ServerLimitOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "Serve at a unix socket, too; only this user may connect.", valueName: "file"))
    public var listenSocket: String?
    @Option(
        help: ArgumentHelp(
            "Answer so many calls at a time and refuse more; 0 is any number (1024).",
            valueName: "calls"))
    public var maximumConcurrentCalls: Int?
    @Option(
        help: ArgumentHelp(
            "Let so many calls wait for their turn before refusing (256).", valueName: "calls"))
    public var maximumQueuedCalls: Int?
    @Flag(
        help: ArgumentHelp(
            "Answer fewer calls at a time while they take longer than they do without load."))
    public var adaptiveLimit = false
    @Option(help: ArgumentHelp("Take so many connections (4096).", valueName: "connections"))
    public var maximumConnections: Int?
    @Option(
        help: ArgumentHelp(
            "Take so many connections from one IP address; 0 is any number (0).",
            valueName: "connections"))
    public var maximumConnectionsPerAddress: Int?
    @Option(
        help: ArgumentHelp(
            "Let clients connect anew after so long; 0 is never (3600).", valueName: "seconds"))
    public var maximumConnectionAge: Int?
    @Option(
        help: ArgumentHelp(
            "After that end the calls that still go on after so long; 0 lets them (0).",
            valueName: "seconds"))
    public var connectionAgeGrace: Int?
    @Option(
        help: ArgumentHelp(
            "Let open calls go on for so long once the service is asked to end (5).",
            valueName: "seconds"))
    public var drainLimit: Int?
    @Option(
        help: ArgumentHelp(
            "Hold at most so much of requests and answers in buffers (512).", valueName: "MiB"))
    public var bufferMemory: Int?

    public init() {}

    /// The limits the flags and `HONE_…` describe, checked.
    public func limits(_ environment: HoneEnvironment = .process) throws -> ServerLimits {
        func number(
            _ flag: Int?, _ name: String, _ variable: String, least: Int = 0
        ) throws -> Int? {
            let text = environment[variable]
            guard let value = flag ?? text.map({ Int($0) ?? -1 }) else { return nil }
            guard value >= least else {
                throw SettingsError.badNumber(
                    setting: name, value: flag.map(String.init) ?? text ?? "",
                    expected: "a whole number from \(least)")
            }
            return value
        }
        var limits = ServerLimits()
        limits.socketPath = listenSocket ?? environment["LISTEN_SOCKET"]
        if let value = try number(
            maximumConcurrentCalls, "--maximum-concurrent-calls", "MAXIMUM_CONCURRENT_CALLS")
        {
            limits.concurrentCalls = value == 0 ? nil : value
        }
        if let value = try number(
            maximumQueuedCalls, "--maximum-queued-calls", "MAXIMUM_QUEUED_CALLS")
        {
            limits.queuedCalls = value
        }
        let adaptive = try number(nil, "--adaptive-limit", "ADAPTIVE_LIMIT") ?? 0
        limits.isAdaptive = adaptiveLimit || adaptive > 0
        if let value = try number(
            maximumConnections, "--maximum-connections", "MAXIMUM_CONNECTIONS", least: 1)
        {
            limits.connections = value
        }
        if let value = try number(
            maximumConnectionsPerAddress, "--maximum-connections-per-address",
            "MAXIMUM_CONNECTIONS_PER_ADDRESS")
        {
            limits.connectionsPerAddress = value == 0 ? nil : value
        }
        if let value = try number(
            maximumConnectionAge, "--maximum-connection-age", "MAXIMUM_CONNECTION_AGE")
        {
            limits.connectionAge = value == 0 ? nil : .seconds(value)
        }
        if let value = try number(
            connectionAgeGrace, "--connection-age-grace", "CONNECTION_AGE_GRACE")
        {
            limits.connectionAgeGrace = value == 0 ? nil : .seconds(value)
        }
        if let value = try number(drainLimit, "--drain-limit", "DRAIN_LIMIT") {
            limits.drain = .seconds(value)
        }
        if let value = try number(bufferMemory, "--buffer-memory", "BUFFER_MEMORY", least: 1) {
            limits.bufferBytes = value << 20
        }
        return limits
    }
}

/// What a service's callers may ask of it at a time.
public struct ServerLimits: Sendable, Equatable {
    /// A unix socket to serve at beside the port; nil of none.
    public var socketPath: String?
    /// Nil of any number.
    public var concurrentCalls: Int? = 1024
    public var queuedCalls: Int = 256
    /// Whether fewer calls are answered at a time while they take longer than without load.
    public var isAdaptive = false
    public var connections: Int = 4096
    /// Nil of any number.
    public var connectionsPerAddress: Int?
    /// Nil of any age.
    public var connectionAge: Duration? = .seconds(3600)
    /// Nil lets calls that are open at that age end as they like.
    public var connectionAgeGrace: Duration?
    /// How long open calls may go on once the service is asked to end.
    public var drain = Duration.seconds(5)
    public var bufferBytes: Int = 512 << 20

    public init() {}

    /// Makes a server keep to these limits.
    public func apply(to configuration: inout ServerConfiguration) {
        if let socketPath { configuration.addresses.append(.unix(path: socketPath)) }
        configuration.load.maximumConcurrentCalls = concurrentCalls
        configuration.load.maximumQueuedCalls = queuedCalls
        if isAdaptive { configuration.load.adaptive = AdaptiveLimit() }
        configuration.maximumConnections = connections
        configuration.maximumConnectionsPerAddress = connectionsPerAddress
        configuration.maximumConnectionAge = connectionAge
        configuration.connectionAgeGrace = connectionAgeGrace
        configuration.memory = MemoryBudget(limitBytes: bufferBytes)
    }
}
