import NIOCore
import NIOPosix
import Synchronization
import TLS
import Testing

/// A TCP connection by hand: what comes in is cut into frames, what goes out is what a test says.
final class RawSocket: Sendable {
    struct Seen: Sendable {
        var frames: [Frame] = []
        var byteCount = 0
        var isClosed = false
        fileprivate var rest: [UInt8] = []
        /// How much of a client's preface is still to come.
        fileprivate var prefaceBytes: Int

        func first(_ type: UInt8, on stream: UInt32? = nil) -> Frame? {
            frames.first { $0.type == type && (stream == nil || $0.stream == stream) }
        }

        func count(_ type: UInt8) -> Int { frames.count { $0.type == type } }

        var goAway: Frame? { frames.last { $0.type == Frame.Kind.goAway } }

        fileprivate mutating func take(_ bytes: [UInt8]) {
            byteCount += bytes.count
            rest += bytes
            let skipped = min(prefaceBytes, rest.count)
            prefaceBytes -= skipped
            var start = skipped
            while rest.count - start >= 9 {
                let length = rest[start..<start + 3].reduce(0) { $0 << 8 | Int($1) }
                guard rest.count - start >= 9 + length else { break }
                let stream = rest[start + 5..<start + 9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                frames.append(
                    Frame(
                        rest[start + 3], rest[start + 4], on: stream,
                        Array(rest[start + 9..<start + 9 + length])))
                start += 9 + length
            }
            rest.removeFirst(start)
        }
    }

    /// A wait that took longer than any machine should need.
    struct Late: Error, CustomStringConvertible {
        let seen: Seen
        var description: String {
            let kinds = seen.frames.suffix(20).map { "\($0.type)/\($0.stream)" }
            return "waited in vain; closed: \(seen.isClosed), last frames \(kinds)"
        }
    }

    private let channel: any Channel
    private let collector: Collector

    fileprivate init(_ channel: any Channel, _ collector: Collector) {
        self.channel = channel
        self.collector = collector
    }

    /// Connects for as long as `body` runs.
    ///
    /// - Parameters:
    ///   - reads: false leaves what comes in to the kernel.
    ///   - tls: what the client trusts, where it speaks TLS.
    static func connected<Result>(
        to port: Int, reads: Bool = true, tls: TLSContext? = nil,
        _ body: (RawSocket) async throws -> Result
    ) async throws -> Result {
        let collector = Collector(prefaceBytes: 0)
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try TLSHandler(tls, serverName: "127.0.0.1")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(collector)
                }
            }
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        if !reads {
            bootstrap = bootstrap.channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 8 << 10)
        }
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
        let socket = RawSocket(channel, collector)
        do {
            let result = try await body(socket)
            try? await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    var seen: Seen { collector.seen.withLock { $0 } }

    /// Sends bytes; false where the peer has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) async -> Bool {
        do {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
            return true
        } catch {
            return false
        }
    }

    /// Sends bytes past the handler of TLS.
    func sendBeneathTLS(_ bytes: [UInt8]) async {
        let channel = channel
        let sent = channel.eventLoop.flatSubmit {
            let promise = channel.eventLoop.makePromise(of: Void.self)
            do {
                let context = try channel.pipeline.syncOperations.context(
                    handlerType: TLSHandler.self)
                context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: promise)
            } catch {
                promise.fail(error)
            }
            return promise.futureResult
        }
        try? await sent.get()
    }

    /// Changes the keys of TLS; false where the peer has closed.
    func updateKeys() async -> Bool {
        do {
            try await channel.triggerUserOutboundEvent(TLSHandler.KeyUpdate())
            return true
        } catch {
            return false
        }
    }

    /// Preface and empty SETTINGS.
    func begin(_ settings: [(UInt16, UInt32)] = []) async {
        await send(Frame.preface + Frame.settings(settings))
    }

    /// Waits until what was seen fulfils `condition`.
    @discardableResult
    func until(
        _ limit: Duration = .seconds(30), _ condition: (Seen) -> Bool
    ) async throws -> Seen {
        let start = ContinuousClock.now
        while true {
            let isFulfilled = collector.seen.withLock { condition($0) }
            if isFulfilled { return seen }
            guard .now - start < limit else { throw Late(seen: seen) }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Waits until the peer has closed.
    @discardableResult
    func untilClosed() async throws -> Seen { try await until { $0.isClosed } }

    func close() async { try? await channel.close() }

    fileprivate final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let seen: Mutex<Seen>

        init(prefaceBytes: Int) {
            seen = Mutex(Seen(prefaceBytes: prefaceBytes))
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(buffer: unwrapInboundIn(data))
            seen.withLock { $0.take(bytes) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            seen.withLock { $0.isClosed = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}

/// A server by hand: hands each connection to a script.
enum RawServer {
    /// Listens for as long as `body` runs.
    ///
    /// - Parameter script: what is done with a connection; it is closed afterwards.
    static func serving<Result: Sendable>(
        _ script: @escaping @Sendable (RawSocket) async throws -> Void,
        _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let collector = RawSocket.Collector(prefaceBytes: Frame.preface.count)
                    try channel.pipeline.syncOperations.addHandler(collector)
                    return RawSocket(channel, collector)
                }
            }
        let port = try #require(listener.channel.localAddress?.port)
        return try await listener.executeThenClose { sockets in
            try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask { try await body(port) }
                group.addTask {
                    try await withThrowingDiscardingTaskGroup { scripts in
                        for try await socket in sockets {
                            scripts.addTask {
                                // A script ends where its peer does.
                                try? await script(socket)
                                await socket.close()
                            }
                        }
                    }
                    return nil
                }
                defer { group.cancelAll() }
                while let result = try await group.next() {
                    if let result { return result }
                }
                throw CancellationError()
            }
        }
    }
}
