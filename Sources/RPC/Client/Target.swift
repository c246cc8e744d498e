/// Where a client finds its servers.
public enum Target: Sendable, Equatable, CustomStringConvertible {
    /// Every address the name has, asked for again every few seconds.
    case dns(host: String, port: Int)
    /// These hosts and no others.
    case addresses([Endpoint])

    /// A host and a port, as in "127.0.0.1:7401" or "[::1]:7401".
    public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
        public let host: String
        public let port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        public var description: String {
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// Reads "127.0.0.1:7401", "dns:///inference:7404" or a list of such parted by commas.
    public init(parsing text: String) throws(TargetError) {
        var endpoints: [Endpoint] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            endpoints.append(try Self.endpoint(part, of: text))
        }
        self =
            endpoints.count == 1
            ? .dns(host: endpoints[0].host, port: endpoints[0].port) : .addresses(endpoints)
    }

    public var endpoints: [Endpoint] {
        switch self {
        case .dns(let host, let port): [Endpoint(host: host, port: port)]
        case .addresses(let endpoints): endpoints
        }
    }

    public var description: String { endpoints.map(\.description).joined(separator: ",") }

    private static func endpoint(
        _ part: Substring, of text: String
    ) throws(TargetError) -> Endpoint {
        var rest = part.drop { $0 == " " }
        if rest.hasPrefix("dns:///") { rest = rest.dropFirst(7) }
        while rest.last == " " { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":") else { throw .noPort(text) }
        guard let port = Int(rest[rest.index(after: colon)...]), (0...65535).contains(port) else {
            throw .noPort(text)
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw .noHost(text) }
        return Endpoint(host: String(host), port: port)
    }
}

/// Why a text names no server.
public enum TargetError: Error, Equatable, StatusConvertible, CustomStringConvertible {
    case noHost(String)
    case noPort(String)

    public var description: String {
        switch self {
        case .noHost(let text): "\"\(text)\" has no host; write it as HOST:PORT"
        case .noPort(let text):
            "\"\(text)\" does not end in a port of 0 to 65535; write it as HOST:PORT"
        }
    }

    public var status: Status { Status(.invalidArgument, description) }
}
