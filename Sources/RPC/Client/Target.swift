/// Where a client finds its servers.
public enum Target: Sendable, Equatable, CustomStringConvertible {
    /// Every address the name has, asked for again every few seconds.
    case dns(host: String, port: Int)
    /// These servers and no others: hosts, whose names are resolved, and sockets of this machine.
    case addresses([Endpoint])
    /// The servers that stand in a file, one to a line, which is read again every few seconds.
    case file(path: String)

    /// A host and a port, as in "127.0.0.1:7401" or "[::1]:7401", or a socket of this machine, as
    /// in "unix:/run/hone/data.sock".
    public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
        /// Empty for a socket.
        public let host: String
        /// 0 for a socket.
        public let port: Int
        /// The file of a socket of this machine; nil for a host.
        public let path: String?

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
            path = nil
        }

        /// A socket of this machine.
        ///
        /// - Parameter path: absolute, at most ``longestPath`` bytes.
        public init(path: String) {
            host = ""
            port = 0
            self.path = path
        }

        /// What the certificate of a socket's server must bear.
        static let socketName = "localhost"

        /// How many bytes of a path a socket's address holds, without the zero at its end.
        public static let longestPath: Int = 107

        public var description: String {
            if let path { return "unix:\(path)" }
            return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// A socket of this machine.
    public static func unix(_ path: String) -> Target { .addresses([Endpoint(path: path)]) }

    /// Reads "127.0.0.1:7401", "dns:///inference:7404", "unix:/run/hone/data.sock" (or with
    /// "unix:///"), or a list of such parted by commas; or "file:/run/hone/inference" (or with
    /// "file:///"), where they stand in a file.
    public init(parsing text: String) throws(TargetError) {
        if text.hasPrefix("file:") {
            self = .file(path: try Self.path(text.dropFirst(5), of: text))
            return
        }
        var endpoints: [Endpoint] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            endpoints.append(try Self.endpoint(part, of: text))
        }
        self =
            endpoints.count == 1 && endpoints[0].path == nil
            ? .dns(host: endpoints[0].host, port: endpoints[0].port) : .addresses(endpoints)
    }

    /// The servers as the target names them; none where they stand in a file.
    public var endpoints: [Endpoint] {
        switch self {
        case .dns(let host, let port): [Endpoint(host: host, port: port)]
        case .addresses(let endpoints): endpoints
        case .file: []
        }
    }

    public var description: String {
        if case .file(let path) = self { return "file:\(path)" }
        return endpoints.map(\.description).joined(separator: ",")
    }

    /// Reads a file of servers: lines of HOST:PORT or unix:/PATH, empty ones, and ones after "#".
    static func endpoints(inFile text: String) throws(TargetError) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let part = line.prefix { $0 != "#" }
            guard part.contains(where: { !$0.isWhitespace }) else { continue }
            endpoints.append(try endpoint(part, of: String(part)))
        }
        return endpoints
    }

    private static func endpoint(
        _ part: Substring, of text: String
    ) throws(TargetError) -> Endpoint {
        var rest = part.drop { $0 == " " }
        while rest.last == " " { rest = rest.dropLast() }
        if rest.hasPrefix("unix:") { return try socket(rest.dropFirst(5), of: text) }
        if rest.hasPrefix("dns:///") { rest = rest.dropFirst(7) }
        guard let colon = rest.lastIndex(of: ":") else { throw .noPort(text) }
        guard let port = Int(rest[rest.index(after: colon)...]), (0...65535).contains(port) else {
            throw .noPort(text)
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw .noHost(text) }
        return Endpoint(host: String(host), port: port)
    }

    /// What follows "unix:": a path, or an empty authority and a path.
    private static func socket(
        _ rest: Substring, of text: String
    ) throws(TargetError) -> Endpoint {
        let path = try path(rest, of: text)
        guard path.utf8.count <= Endpoint.longestPath, !path.utf8.contains(0) else {
            throw .longPath(text, bytes: path.utf8.count)
        }
        return Endpoint(path: path)
    }

    private static func path(_ rest: Substring, of text: String) throws(TargetError) -> String {
        var path = rest
        if path.hasPrefix("//") {
            path = path.dropFirst(2)
            guard path.hasPrefix("/") else { throw .elsewhere(text) }
        }
        guard path.hasPrefix("/"), path.count > 1 else { throw .noPath(text) }
        return String(path)
    }
}

/// Why a text names no server.
public enum TargetError: Error, Equatable, StatusConvertible, CustomStringConvertible {
    case noHost(String)
    case noPort(String)
    case noPath(String)
    case elsewhere(String)
    case longPath(String, bytes: Int)

    public var description: String {
        switch self {
        case .noHost(let text): "\"\(text)\" has no host; write it as HOST:PORT"
        case .noPort(let text):
            "\"\(text)\" does not end in a port of 0 to 65535; write it as HOST:PORT"
        case .noPath(let text):
            "\"\(text)\" names nothing by its absolute path; write it as unix:/PATH or file:/PATH"
        case .elsewhere(let text):
            "\"\(text)\" is on another machine; write it as unix:/PATH or unix:///PATH, or file:"
        case .longPath(let text, let bytes):
            "the socket's path in \"\(text)\" has \(bytes) bytes, and no zero byte and at most "
                + "\(Target.Endpoint.longestPath) bytes are possible; choose a shorter one"
        }
    }

    public var status: Status { Status(.invalidArgument, description) }
}
