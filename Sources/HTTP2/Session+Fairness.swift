import CNghttp2

extension Session {
    /// How much a stream may queue before it has to take turns.
    public static let fairBytes = 16 << 10

    /// Lets a stream with much to send take turns with the others, frame by frame; a server only.
    ///
    /// Otherwise the library sends all that a stream has before the next one's turn comes, and a
    /// large answer would hold up every small one behind it.
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
