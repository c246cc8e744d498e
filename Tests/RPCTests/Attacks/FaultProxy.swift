import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

/// What a network or a broken peer does to one direction of a connection.
enum Fault: Sendable {
    case none
    /// Each piece is late by up to so many milliseconds.
    case delay(milliseconds: Int)
    /// So many bytes every two milliseconds.
    case throttle(bytes: Int)
    /// The first bytes go one by one.
    case single(count: Int)
    /// After so many bytes both sides are closed.
    case cut(after: Int)
    /// After so many bytes both sides are reset.
    case reset(after: Int)
    /// After so many bytes this direction ends, while the other goes on.
    case halfClose(after: Int)
    /// After so many bytes nothing arrives any more, while both sides stay open.
    case silence(after: Int)
    /// Bytes of nobody after so many of the sender's.
    case garbage(after: Int)

    /// Four of ten connections have none.
    static func random(
        using random: inout SplitMix64, garbageAnywhere: Bool
    ) -> Fault {
        let after = Int.random(
            in: 0...[60, 400, 5000, 300_000][Int.random(in: 0..<4, using: &random)], using: &random)
        switch Int.random(in: 0..<13, using: &random) {
        case 0: return .delay(milliseconds: Int.random(in: 1...30, using: &random))
        case 1: return .throttle(bytes: Int.random(in: 100...4000, using: &random))
        case 2: return .single(count: Int.random(in: 10...1000, using: &random))
        case 3, 4: return .cut(after: after)
        case 5: return .reset(after: after)
        case 6: return .halfClose(after: after)
        case 7: return .silence(after: after)
        case 8: return .garbage(after: garbageAnywhere ? after : 0)
        default: return .none
        }
    }
}

/// A TCP proxy whose connections have faults, drawn from a seed.
final class FaultProxy: Sendable {
    private struct State {
        var random: SplitMix64
        var counts: [String: Int] = [:]
    }

    let port: Int
    private let state: Mutex<State>

    /// How many connections had each fault.
    var counts: [String: Int] { state.withLock { $0.counts } }

    private init(_ port: Int, _ state: sending State) {
        self.port = port
        self.state = Mutex(state)
    }

    /// Listens for as long as `body` runs.
    ///
    /// - Parameter garbageAnywhere: whether garbage may lie within messages. Only TLS tells it from
    ///   the sender's bytes; without TLS it precedes the first frame.
    static func serving<Result>(
        to target: Int, seed: UInt64, garbageAnywhere: Bool,
        _ body: (FaultProxy) async throws -> Result
    ) async throws -> Result {
        let made = Mutex<FaultProxy?>(nil)
        let open = OpenChannels()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                guard let proxy = made.withLock({ $0 }) else { return channel.close() }
                open.add(channel)
                return proxy.join(channel, to: target, garbageAnywhere, open)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let proxy = FaultProxy(port, State(random: SplitMix64(seed: seed)))
        made.withLock { $0 = proxy }
        do {
            let result = try await body(proxy)
            try await listener.close()
            await open.closeAll()
            return result
        } catch {
            try? await listener.close()
            await open.closeAll()
            throw error
        }
    }

    private func join(
        _ channel: any Channel, to target: Int, _ garbageAnywhere: Bool, _ open: OpenChannels
    ) -> EventLoopFuture<Void> {
        let (forth, back, seed, life) = state.withLock { state in
            let forth = Fault.random(using: &state.random, garbageAnywhere: garbageAnywhere)
            // One direction at a time, so that each fault is seen by itself.
            let isForth = state.random.next() % 2 == 0
            let name = "\(forth)".prefix { $0 != "(" }
            state.counts[String(name), default: 0] += 1
            // No connection lives so long that faults become rare.
            let life = Int64.random(in: 200...4000, using: &state.random)
            return (
                isForth ? forth : .none, isForth ? Fault.none : forth, state.random.next(), life
            )
        }
        let loop = channel.eventLoop
        return ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: target)
            .flatMap { partner in
                open.add(partner)
                loop.scheduleTask(in: .milliseconds(life)) { channel.close(promise: nil) }
                return loop.makeCompletedFuture {
                    do {
                        try channel.pipeline.syncOperations.addHandler(
                            Pipe(forth, to: partner, seed: seed))
                        try partner.pipeline.syncOperations.addHandler(
                            Pipe(back, to: channel, seed: ~seed))
                    } catch {
                        // The caller has gone meanwhile.
                        partner.close(promise: nil)
                        throw error
                    }
                }
            }
    }
}

/// The proxy's connections, to be closed at the end.
private final class OpenChannels: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        channels.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[id] = nil } }
    }

    func closeAll() async {
        for channel in channels.withLock({ Array($0.values) }) { try? await channel.close() }
    }
}

/// One direction of a proxied connection; lives on its event loop alone.
private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let fault: Fault
    private let partner: any Channel
    private var random: SplitMix64
    private var queue: [ByteBuffer] = []
    private var forwarded = 0
    /// Whether the fault has struck.
    private var isStruck = false
    private var isWaiting = false
    private var hasEnded = false

    init(_ fault: Fault, to partner: any Channel, seed: UInt64) {
        self.fault = fault
        self.partner = partner
        random = SplitMix64(seed: seed)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        queue.append(unwrapInboundIn(data))
        pump(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            hasEnded = true
            pump(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        partner.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func pump(_ context: ChannelHandlerContext) {
        while !isWaiting, !queue.isEmpty {
            switch fault {
            case .none: forward(queue.removeFirst())
            case .delay(let milliseconds):
                wait(Int.random(in: 0...milliseconds, using: &random), context)
            case .throttle(let bytes):
                forward(piece(bytes))
                wait(2, context)
            case .single(let count):
                forward(forwarded < count ? piece(1) : queue.removeFirst())
            case .cut(let after), .reset(let after), .halfClose(let after),
                .silence(let after), .garbage(let after):
                if isStruck {
                    forwardUnlessSilent()
                } else if forwarded < after {
                    forward(piece(after - forwarded))
                } else {
                    isStruck = true
                    strike(context)
                }
            }
        }
        if hasEnded, !isWaiting, queue.isEmpty { partner.close(mode: .output, promise: nil) }
    }

    private func wait(_ milliseconds: Int, _ context: ChannelHandlerContext) {
        isWaiting = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
            let (pipe, context) = bound.value
            pipe.isWaiting = false
            if case .delay = pipe.fault, !pipe.queue.isEmpty {
                pipe.forward(pipe.queue.removeFirst())
            }
            pipe.pump(context)
        }
    }

    /// The next bytes, at most `count`.
    private func piece(_ count: Int) -> ByteBuffer {
        var first = queue.removeFirst()
        guard first.readableBytes > count, let part = first.readSlice(length: count) else {
            return first
        }
        queue.insert(first, at: 0)
        return part
    }

    private func forward(_ bytes: ByteBuffer) {
        forwarded += bytes.readableBytes
        partner.writeAndFlush(bytes, promise: nil)
    }

    private func forwardUnlessSilent() {
        let bytes = queue.removeFirst()
        if case .garbage = fault { forward(bytes) }
    }

    private func strike(_ context: ChannelHandlerContext) {
        switch fault {
        case .cut:
            context.close(promise: nil)
            partner.close(promise: nil)
        case .reset:
            for channel in [context.channel, partner] {
                guard let options = channel as? any SocketOptionProvider else { continue }
                options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in
                    channel.close(promise: nil)
                }
            }
        case .halfClose: partner.close(mode: .output, promise: nil)
        case .garbage:
            let count = Int.random(in: 1...200, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            partner.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        case .none, .delay, .throttle, .single, .silence: break
        }
    }
}
