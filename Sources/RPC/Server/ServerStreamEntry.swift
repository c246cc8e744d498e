import HTTP2

/// A call with what only its connection's loop needs to know of it.
final class ServerStreamEntry {
    let call: ServerCall
    let stream: HTTP2.Stream
    var assembler: MessageAssembler
    var hasHeaders = false
    var isFinished = false
    /// Bytes that the handler took and the peer was not given back, since memory was short.
    var withheldBytes = 0
    /// Bytes that moved either way; wraps around.
    var movedBytes = 0
    /// What moved, and when it last did, as was seen while memory was short.
    var seenMoved = 0
    var stalledSince: ContinuousClock.Instant?
    /// Whether it was ended because memory was short.
    var isEvicted = false

    init(_ call: ServerCall, _ stream: HTTP2.Stream, limit: MessageLimit) {
        self.call = call
        self.stream = stream
        assembler = MessageAssembler(limit: limit)
    }

    /// Whether something waits that has not moved for so long.
    func isStalled(at now: ContinuousClock.Instant, for limit: Duration) -> Bool {
        guard stream.queuedBytes > 0 || assembler.heldBytes > 0 else {
            stalledSince = nil
            return false
        }
        guard let since = stalledSince, seenMoved == movedBytes else {
            seenMoved = movedBytes
            stalledSince = now
            return false
        }
        return now - since >= limit
    }
}
