import CNghttp2

extension Session {
    /// Gives received bytes back to the connection's own window, unless it is held.
    func consumeConnection(_ count: Int) {
        guard !holdsWindow else {
            heldWindowBytes += count
            return
        }
        // Fails only without memory, where the connection is lost anyway.
        _ = unsafe nghttp2_session_consume_connection(handle, count)
    }

    func releaseWindow() {
        let count = heldWindowBytes
        heldWindowBytes = 0
        if count > 0 { consumeConnection(count) }
    }
}
