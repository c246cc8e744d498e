import CNghttp2

extension Session {
    /// How much a stream may queue before it has to take turns.
    private static let fairBytes = 16 << 10
    /// How much of all streams may be queued before any has to take turns: what comes after that
    /// little does not wait long, and answers that are sent one after the other are complete sooner.
    private static let crowdedBytes = 1 << 20

    /// Whether a stream has so much to send that others should not have to wait for all of it.
    public func isGreedy(_ stream: Stream) -> Bool {
        queuedBytes > Self.crowdedBytes && stream.queuedBytes > Self.fairBytes
    }

    /// Lets a stream with much to send take turns with the others, frame by frame; a server only.
    ///
    /// Otherwise the library sends all that a stream has before the next one's turn comes, and large
    /// answers would hold up every small one behind them.
    ///
    /// - Source: RFC 9218, section 4.2, "incremental".
    public func takeTurns(_ stream: Stream) {
        guard role == .server, !stream.takesTurns, !stream.isClosed else { return }
        stream.takesTurns = true
        var priority = nghttp2_extpri(
            urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
        // Fails only without memory or for a stream that is gone.
        _ = unsafe nghttp2_session_change_extpri_stream_priority(handle, stream.id, &priority, 0)
    }
}
