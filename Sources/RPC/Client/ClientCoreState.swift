import NIOCore
import Synchronization

extension ClientCore {
    /// One address of one host of the target, or a socket of this machine.
    package struct Address: Hashable, Sendable, CustomStringConvertible {
        /// As the target names it.
        let host: String
        let numeric: String
        let port: Int
        /// The socket's file; nil for a host.
        let path: String?

        package init(host: String, numeric: String, port: Int) {
            self.host = host
            self.numeric = numeric
            self.port = port
            path = nil
        }

        init(_ address: Target.Address) {
            host = address.name
            numeric = address.endpoint.host
            port = address.endpoint.port
            path = address.endpoint.path
        }

        package var description: String {
            guard let path else { return Target.Endpoint(host: numeric, port: port).description }
            return Target.Endpoint(path: path).description
        }

        func socketAddress() throws -> SocketAddress {
            guard let path else { return try SocketAddress(ipAddress: numeric, port: port) }
            return try SocketAddress(unixDomainSocketPath: path)
        }
    }

    /// One stay of an address in the target: an address that left and came back has another, so
    /// that whoever served the first stay, and sleeps, finds that it is over.
    package struct Stay: Hashable, Sendable {
        package let address: Address
        let number: Int
    }

    enum Phase { case idle, running, stopped }

    enum ServerState {
        case connecting
        case ready
        case failed(Status)
    }

    enum Circuit: Equatable {
        case closed
        case open(since: ContinuousClock.Instant)
        case halfOpen
    }

    struct Server {
        let stay: Stay
        let endpoint: ClientEndpoint
        var state = ServerState.connecting
        var connections: [ClientConnection] = []
        var record = OutlierRecord()
        /// What its connections had counted when the last interval began.
        var counted: [ObjectIdentifier: (successes: Int, failures: Int)] = [:]
        var circuit = Circuit.closed
        /// Asks for a further connection.
        var connectMore: AsyncStream<Void>.Continuation?
        var isConnectingMore = false
        var mayConnectMoreFrom: ContinuousClock.Instant?
        var idleSince: ContinuousClock.Instant?

        init(_ stay: Stay) {
            self.stay = stay
            endpoint = ClientEndpoint(stay)
        }

        var isReady: Bool {
            if case .ready = state { return !connections.isEmpty }
            return false
        }

        var openCalls: Int {
            connections.reduce(0) { $0 + $1.load.load(ordering: .relaxed) }
        }
    }

    /// A server that may be chosen.
    struct Candidate {
        let endpoint: ClientEndpoint
        let connections: [ClientConnection]
        /// Whether it gets one call only, to see how it fares.
        let isHalfOpen: Bool

        var load: Int {
            if connections.count == 1 { return connections[0].load.load(ordering: .relaxed) }
            return connections.reduce(0) { $0 + $1.load.load(ordering: .relaxed) }
        }
    }

    struct State {
        /// What becomes of a call.
        enum Placement {
            case on(ClientConnection)
            case refused(Status)
            case waits
        }

        var phase = Phase.idle
        var target: Target
        var isResolved = false
        /// Asks for the names to be resolved anew.
        var resolveNow: AsyncStream<Void>.Continuation?
        var servers: [Address: Server] = [:]
        /// How many stays there have been.
        var stays = 0
        var candidates: [Candidate] = []
        let maximumCalls: Int?
        let hashing: ConsistentHashing
        var ring = HashRing()
        var ringMembers: [Address] = []
        /// The place of each member of the ring among the candidates; -1 where it is none.
        var candidateOfMember: [Int] = []
        /// Every connection whose channel is open.
        var open: [ObjectIdentifier: ClientConnection] = [:]
        var waiting = WaitingCalls()
        var callsBegun = 0
        var failure: Status?
        var balancer: Balancer
        var keepalive: Keepalive
        var nextSweep: ContinuousClock.Instant?
        var watchers: [Int: AsyncStream<Connectivity>.Continuation] = [:]
        var watcherCount = 0
        var told = Connectivity.idle
        let maximumConnections: Int

        init(_ target: Target, _ configuration: ClientConfiguration) {
            self.target = target
            maximumCalls = configuration.circuitBreaker.maximumCalls
            hashing = configuration.consistentHashing
            balancer = Balancer(configuration.balancing, seed: .random(in: .min ... .max))
            keepalive = configuration.keepalive
            maximumConnections = max(configuration.maximumConnectionsPerServer, 1)
        }
    }
}

extension ClientCore.State {
    func isPresent(_ stay: ClientCore.Stay) -> Bool { servers[stay.address]?.stay == stay }

    /// Takes in the addresses that are new.
    mutating func add(_ addresses: [ClientCore.Address]) -> [ClientCore.Stay] {
        var new: [ClientCore.Stay] = []
        for address in addresses where servers[address] == nil {
            let stay = ClientCore.Stay(address: address, number: stays)
            stays += 1
            servers[address] = ClientCore.Server(stay)
            new.append(stay)
        }
        if !new.isEmpty {
            makeRing()
            findCandidates()
        }
        return new
    }

    /// These are all the addresses there are now.
    mutating func resolved(
        _ addresses: [ClientCore.Address], _ failure: Status?
    ) -> (retired: [ClientConnection], failed: [(ClientCall, Status)]) {
        isResolved = true
        var retired: [ClientConnection] = []
        if let failure { self.failure = failure }
        let wanted = Set(addresses)
        for (address, server) in servers where !wanted.contains(address) {
            retired += server.connections
            server.connectMore?.finish()
            servers[address] = nil
        }
        if ringMembers.count != servers.count { makeRing() }
        findCandidates()
        return (retired, takeHopeless())
    }

    /// What all connections of a stay share, if it is over, too.
    func endpoint(of stay: ClientCore.Stay) -> ClientEndpoint {
        if let server = servers[stay.address], server.stay == stay { return server.endpoint }
        return ClientEndpoint(stay)
    }

    mutating func setConnectMore(
        _ request: AsyncStream<Void>.Continuation, of stay: ClientCore.Stay
    ) {
        if isPresent(stay) { servers[stay.address]?.connectMore = request }
    }

    /// The server is being connected to.
    mutating func connecting(_ stay: ClientCore.Stay) {
        guard let server = servers[stay.address], server.stay == stay, server.connections.isEmpty
        else { return }
        if case .failed = server.state { return }
        servers[stay.address]?.state = .connecting
    }

    /// False where the server is not wanted any more.
    mutating func ready(
        _ connection: ClientConnection, _ stay: ClientCore.Stay, _ isServing: Bool?
    ) -> Bool {
        guard phase == .running, isPresent(stay) else { return false }
        if let isServing {
            // The first connection stays the first: those behind it go when they are idle.
            servers[stay.address]?.connections.insert(connection, at: 0)
            servers[stay.address]?.state = isServing ? .ready : .connecting
        } else {
            servers[stay.address]?.connections.append(connection)
            servers[stay.address]?.isConnectingMore = false
        }
        if isServing != false { failure = nil }
        findCandidates()
        return true
    }

    mutating func unusable(
        _ connection: ClientConnection, _ stay: ClientCore.Stay, _ status: Status
    ) {
        if status.message.contains("too_many_pings") { keepalive.double() }
        guard isPresent(stay) else { return }
        servers[stay.address]?.connections.removeAll { $0 === connection }
        servers[stay.address]?.counted[ObjectIdentifier(connection)] = nil
        if servers[stay.address]?.connections.isEmpty == true {
            servers[stay.address]?.state = .connecting
        }
        findCandidates()
    }

    mutating func failed(
        _ stay: ClientCore.Stay, _ status: Status, isHealth: Bool
    ) -> [(ClientCall, Status)] {
        guard isPresent(stay) else { return [] }
        // A further connection that fails takes nothing from those that are there.
        guard isHealth || servers[stay.address]?.connections.isEmpty == true else {
            servers[stay.address]?.isConnectingMore = false
            servers[stay.address]?.mayConnectMoreFrom = .now + .seconds(1)
            return []
        }
        servers[stay.address]?.state = .failed(status)
        servers[stay.address]?.isConnectingMore = false
        failure = status
        findCandidates()
        return takeHopeless()
    }

    mutating func serves(_ stay: ClientCore.Stay) {
        guard isPresent(stay) else { return }
        servers[stay.address]?.state = .ready
        failure = nil
        findCandidates()
    }
}
