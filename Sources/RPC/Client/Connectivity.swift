import Synchronization

/// Whether a client can make calls now.
public enum Connectivity: Sendable, Equatable {
    /// It does not run yet.
    case idle
    /// No server is ready, but one may be soon.
    case connecting
    /// A server takes calls.
    case ready
    /// No server can be reached; the client goes on trying.
    case transientFailure
    /// It has stopped for good.
    case shutdown
}

/// A server of a client, as it is at a moment.
package struct ServerSnapshot: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        case connecting, ready
        case failed(String)
    }

    package enum Circuit: Sendable, Equatable { case closed, open, halfOpen }

    /// As in "127.0.0.1:7401" or "unix:/run/hone/data.sock".
    package var address: String
    package var state: State
    package var connections: Int
    /// How many calls are open on all its connections.
    package var openCalls: Int
    package var isEjected: Bool
    package var timesEjected: Int
    package var circuit: Circuit
}

extension Client {
    /// The state now and each one that follows; ends with ``Connectivity/shutdown``.
    ///
    /// Who reads slowly misses what lies between, never the last.
    public var connectivity: AsyncStream<Connectivity> { core.connectivity() }

    /// The servers of the target, by address.
    package var servers: [ServerSnapshot] { core.snapshot() }

    /// How many calls wait for a connection, or for room on one.
    package var waitingCalls: Int { core.look { $0.waiting.count } }
}
