import HTTP2
import NIOCore
import RPC
import Synchronization

/// A client's connection with calls of every kind, whose peer sends anything.
struct ClientFuzz {
    private let channel = MovedChannel(skipping: 24)
    private let probe: ClientProbe
    private let tally = Tally()

    init() throws {
        var configuration = ClientConfiguration()
        configuration.streamWindowBytes = 40_000
        configuration.connectionWindowBytes = 120_000
        configuration.writeBufferBytes = 20_000
        configuration.keptRequestBytes = 90_000
        configuration.keptRequestBytesPerCall = 60_000
        probe = try ClientProbe(configuration, on: channel.channel)
        try channel.connect()
    }

    /// Every call ends, and nothing is left once the connection is closed and the client stopped.
    func feed(_ source: inout ByteSource) throws {
        let frames = CallFrames(.server)
        let choice = source.byte()
        for kind in 0..<1 + choice % 6 { start(kind) }
        if choice % 32 != 0 { try channel.feed(frames.opening) }
        try feed(&source, frames)
        if choice & 0x40 != 0 { try channel.setWritable(true) }
        if choice & 0x80 != 0 { try channel.move(by: .seconds(40)) }
        try channel.close()
        probe.stop()
        // A service may ask for a pause of a day.
        try channel.move(by: .hours(25))
        try check()
        try channel.finish()
    }

    private func feed(_ source: inout ByteSource, _ frames: CallFrames) throws {
        var frames = frames
        while !source.isEmpty, channel.isOpen {
            let action = source.byte()
            switch action {
            case 0..<8: try channel.setWritable(action % 2 == 0)
            case 8..<16: start(action % 8)
            case 16: try channel.move(by: .seconds(3))
            default: try channel.feed(frames.next(&source))
            }
        }
    }

    private func start(_ kind: UInt8) {
        tally.run(on: probe.client.executor) { [client = probe.client] in
            // However it ends, it has to.
            try? await Self.call(client, kind)
        }
    }

    private static func call(_ client: Client, _ kind: UInt8) async throws {
        switch kind {
        case 0: _ = try await client.unary(FuzzCalls.same, Block([1, 2, 3]))
        case 1: _ = try await client.unary(FuzzCalls.same, Block(count: 50_000))
        case 2:
            try await client.serverStreaming(FuzzCalls.many, Block([9])) { responses in
                for try await response in responses where response.bytes.first == 7 { return }
            }
        case 3:
            _ = try await client.clientStreaming(FuzzCalls.sum) { requests in
                for _ in 0..<3 { try await requests.write(Block(count: 15_000)) }
            }
        case 4:
            try await client.bidirectional(FuzzCalls.each) { requests in
                for _ in 0..<20 { try await requests.write(Block(count: 5000)) }
            } _: { responses in
                for try await _ in responses {}
            }
        default:
            let options = CallOptions(
                deadline: kind == 5 ? .milliseconds(1) : .seconds(3600), compression: .gzip)
            _ = try await client.unary(FuzzCalls.once, Block(count: 3000), options: options)
        }
    }

    private func check() throws {
        try require(!channel.isOpen, "the channel stays open")
        try require(tally.runningCount == 0, "\(tally.runningCount) calls have not ended")
        try require(probe.callCount == 0, "\(probe.callCount) calls hold a stream")
        let (calls, bytes) = probe.held
        try require(calls == 0, "\(calls) calls are counted on the connection")
        try require(bytes == 0, "\(bytes) bytes are kept for further attempts")
    }
}
