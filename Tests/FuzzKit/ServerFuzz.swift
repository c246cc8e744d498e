import HTTP2
import NIOCore
import RPC
import Synchronization

/// A server's connection with handlers, whose peer sends anything.
struct ServerFuzz {
    private let channel = MovedChannel()
    private let budget = MemoryBudget(limitBytes: 96 << 10)
    private let tally = Tally()
    private let probe: ServerProbe
    private let runs = Tally()

    init() throws {
        var configuration = ServerConfiguration()
        configuration.maximumConcurrentStreams = 16
        configuration.streamWindowBytes = 40_000
        configuration.connectionWindowBytes = 120_000
        configuration.writeBufferBytes = 20_000
        configuration.memory = budget
        configuration.connectionMemoryBytes = 64 << 10
        configuration.slowReaderLimit = .zero
        configuration.minimumCompressedBytes = 16
        probe = try ServerProbe(configuration, FuzzCalls.router(tally), on: channel.channel)
        runs.run(on: probe.executor, probe.run)
        try channel.connect()
    }

    /// Every call that was begun ends, and nothing is left once the connection is closed.
    func feed(_ source: inout ByteSource) throws {
        var frames = CallFrames(.client)
        let choice = source.byte()
        if choice % 8 != 0 { try channel.feed(frames.opening) }
        while !source.isEmpty, channel.isOpen {
            let action = source.byte()
            switch action {
            case 0..<8: try channel.setWritable(action % 2 == 0)
            case 8: probe.drain()
            case 9: try channel.move(by: .seconds(3))
            default: try channel.feed(frames.next(&source))
            }
        }
        if choice & 0x10 != 0 { try channel.setWritable(true) }
        if choice & 0x20 != 0 { try channel.move(by: .seconds(40)) }
        try channel.close()
        try channel.move(by: .seconds(40))
        try check()
        try channel.finish()
    }

    private func check() throws {
        try require(!channel.isOpen, "the channel stays open")
        try require(tally.runningCount == 0, "\(tally.runningCount) handlers are at work")
        try require(runs.runningCount == 0, "the connection's task has not ended")
        try require(probe.callCount == 0, "\(probe.callCount) calls hold a stream")
        try require(probe.heldBytes == 0, "\(probe.heldBytes) bytes are held of the connection")
        try require(budget.usedBytes == 0, "\(budget.usedBytes) bytes are held of the budget")
        let (begun, ended) = probe.calls
        try require(begun == ended, "\(begun) calls began, \(ended) ended")
        try require(tally.begunCount <= begun, "\(tally.begunCount) handlers for \(begun) calls")
    }
}
