import FoundationEssentials
import NIOCore
import NIOPosix
public import TLS

/// One plain GET over HTTP/1.1 that looks at nothing but the status: a health check.
public enum HTTPProbe {
    /// Bytes within which the status line must end.
    private static let longestStatusLine = 8_192

    /// - Parameters:
    ///   - url: `http://HOST[:PORT][/PATH]`, or `https`; host names are looked up.
    ///   - limit: for the whole exchange.
    ///   - tls: whom to trust over `https`; nil trusts the authorities of the system.
    /// - Returns: the status, such as 200.
    public static func status(
        of url: String, limit: Duration, tls: TLSSettings? = nil
    ) async throws -> Int {
        guard let parts = URL(string: url), parts.scheme == "http" || parts.scheme == "https",
            let host = parts.host, !host.isEmpty
        else { throw SettingsError.badURL(setting: "--http", value: url) }
        let path = parts.path.isEmpty ? "/" : parts.path
        let query = parts.query.map { "?" + $0 } ?? ""
        let request =
            "GET \(path)\(query) HTTP/1.1\r\nhost: \(host)\r\naccept: */*\r\nconnection: close\r\n\r\n"
        var context: TLSContext?
        if parts.scheme == "https" {
            context = try TLSContext(.client, try tls ?? TLSSettings(), carrying: .http1)
        }
        let port = parts.port ?? (context == nil ? 80 : 443)
        return try await withThrowingTaskGroup(of: Int.self) { [context] group in
            group.addTask { try await exchange(request, host, port, url, context) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw CommandFailure("\(url) did not answer within \(limit)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? 0
        }
    }

    private static func exchange(
        _ request: String, _ host: String, _ port: Int, _ url: String, _ tls: TLSContext?
    ) async throws -> Int {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            TLSHandler(tls, serverName: host))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            do {
                try await outbound.write(ByteBuffer(string: request))
            } catch {
                // The channel is closed. Why, such as a certificate refused, only readers are told.
                for try await _ in inbound {}
                throw error
            }
            var head = ByteBuffer()
            for try await part in inbound {
                head.writeImmutableBuffer(part)
                let bytes = head.readableBytesView
                if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                    return try status(in: String(decoding: bytes[..<end], as: UTF8.self), url)
                }
                if bytes.count > longestStatusLine { break }
            }
            throw CommandFailure("\(url) did not answer in HTTP/1.1")
        }
    }

    /// Reads `HTTP/1.1 200 OK`.
    private static func status(in line: String, _ url: String) throws -> Int {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."),
            let status = Int(words[1].prefix { $0.isNumber }), (100...599).contains(status)
        else { throw CommandFailure("\(url) did not answer in HTTP/1.1") }
        return status
    }
}
