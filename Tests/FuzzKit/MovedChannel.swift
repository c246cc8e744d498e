import NIOCore
import NIOEmbedded

/// A channel without a socket on a loop that moves by hand, with a check of what is sent.
final class MovedChannel {
    let channel = EmbeddedChannel()
    private var frames: SentFrames
    /// All that was sent.
    private(set) var output: [UInt8] = []

    /// - Parameter skipping: how many bytes precede the first frame.
    init(skipping: Int = 0) {
        frames = SentFrames(skipping: skipping)
    }

    var isOpen: Bool { channel.isActive }

    func connect() throws {
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        try move()
    }

    /// Bytes from the peer.
    func feed(_ bytes: [UInt8]) throws {
        guard isOpen, !bytes.isEmpty else { return }
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        try move()
    }

    /// Lets the loop do what it has to, and time pass.
    func move(by time: TimeAmount = .milliseconds(21)) throws {
        channel.embeddedEventLoop.advanceTime(by: time)
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            let bytes = Array(buffer.readableBytesView)
            output += bytes
            try frames.take(bytes)
        }
    }

    func setWritable(_ isWritable: Bool) throws {
        guard isOpen, channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
        try move()
    }

    /// Closes as a lost connection does, and lets all come to its end.
    func close() throws {
        if isOpen { channel.close(promise: nil) }
        try move()
    }

    /// Drops what is left of the loop's tasks.
    func finish() throws {
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}

/// The frames that one side sends: whole ones, and none on a stream that it has ended.
private struct SentFrames {
    private var skipping: Int
    private var rest: [UInt8] = []
    private var ended: Set<UInt32> = []

    init(skipping: Int) {
        self.skipping = skipping
    }

    mutating func take(_ bytes: [UInt8]) throws {
        rest += bytes
        let skipped = min(skipping, rest.count)
        rest.removeFirst(skipped)
        skipping -= skipped
        var start = 0
        while rest.count - start >= 9 {
            let length = Int(rest[start]) << 16 | Int(rest[start + 1]) << 8 | Int(rest[start + 2])
            try require(length <= 1 << 17, "a frame of \(length) bytes was sent")
            guard rest.count - start >= 9 + length else { break }
            let stream = rest[start + 5..<start + 9].reduce(0) { $0 << 8 | UInt32($1) }
            try note(type: rest[start + 3], flags: rest[start + 4], stream)
            start += 9 + length
        }
        rest.removeFirst(start)
    }

    private mutating func note(type: UInt8, flags: UInt8, _ stream: UInt32) throws {
        switch type {
        case 0, 1:
            try require(
                ended.insert(stream).inserted || stream == 0,
                "a frame of type \(type) follows the end of stream \(stream)")
            if flags & 1 == 0 { ended.remove(stream) }
        case 3: ended.insert(stream)
        default: break
        }
    }
}
