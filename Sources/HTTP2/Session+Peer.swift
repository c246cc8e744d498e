import CNghttp2

extension Session {
    /// How many streams the peer lets us have open, as its latest SETTINGS say.
    public var peerMaximumStreams: Int {
        Int(
            unsafe nghttp2_session_get_remote_settings(
                handle, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }
}
