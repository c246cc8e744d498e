/// Where a server listens.
public enum ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A TCP port of a host's address; port 0 lets the system choose.
    case host(String, port: Int)
    /// A unix socket at a path of at most 100 bytes, for callers on the same machine.
    case unix(path: String)

    public var port: Int? {
        if case .host(_, let port) = self { return port }
        return nil
    }

    /// As in "127.0.0.1:7401" or "unix:/run/hone/data.sock".
    public var description: String {
        switch self {
        case .host(let host, let port): Target.Endpoint(host: host, port: port).description
        case .unix(let path): "unix:" + path
        }
    }
}

/// Why a server could not serve.
public enum ServerError: Error, Equatable, StatusConvertible, CustomStringConvertible {
    case cannotListen(address: ServerAddress, reason: String)
    /// The path of a unix socket belongs to something that is no socket.
    case notASocket(path: String)
    /// Another server answers at the path of a unix socket.
    case socketInUse(path: String)

    public var description: String {
        switch self {
        case .cannotListen(let address, let reason):
            "cannot listen on \(address): \(reason); choose another address or stop what uses it"
        case .notASocket(let path):
            "cannot listen on unix:\(path): a file that is no socket lies there; choose another path"
        case .socketInUse(let path):
            "cannot listen on unix:\(path): another server listens there; stop it or choose another"
                + " path"
        }
    }

    public var status: Status { Status(.unavailable, description) }
}
