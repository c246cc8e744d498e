import CNghttp2

/// One HTTP/2 connection's protocol state: bytes in, events out; requests in, bytes out.
///
/// No I/O and no clock. One owner uses it, from one thread at a time. Received bytes keep their
/// stream's window closed until they are consumed.
@safe public final class Session {
    public enum Role: Sendable { case client, server }

    public let role: Role
    public let limits: SessionLimits
    let handle: OpaquePointer
    /// The time of the bytes being received.
    var now: ContinuousClock.Instant
    var events: [Event] = []
    var streams = StreamTable()
    /// Streams that are over and that nobody holds any more; ones to come use their storage.
    var spareStreams: [Stream] = []
    /// Who hears of events while `receive` or `produce` runs; nil keeps them.
    private var listener: (any SessionListener)?
    /// The header block being received.
    var block = HeaderList()
    var blockIsTruncated = false
    /// How much of the block was left out.
    var droppedHeaderBytes = 0
    /// Where the bytes being received begin; set while `receive` runs.
    var inputBase: UnsafeRawPointer?
    var output = Output()
    /// How many bytes of all streams wait to be framed.
    public internal(set) var queuedBytes: Int = 0
    var glitches: TokenBucket
    var pings: TokenBucket
    /// PINGs that the peer has yet to answer.
    var awaitedPings = 0
    /// How many tiny WINDOW_UPDATE frames are still borne.
    var tinyUpdates: Int
    var isAbused = false
    /// Whether the connection's own window stays as it is, so that the peer can send no more than
    /// that on all streams together.
    public var holdsWindow: Bool = false {
        didSet { if !holdsWindow, oldValue { releaseWindow() } }
    }
    /// Received bytes that the connection's window does not have back.
    var heldWindowBytes = 0
    var hasSettings = false

    /// A session that has its preface and SETTINGS ready to send.
    public init(
        role: Role, limits: SessionLimits = SessionLimits(),
        at now: ContinuousClock.Instant = .now
    ) throws(HTTP2Error) {
        self.role = role
        self.limits = limits
        self.now = now
        glitches = TokenBucket(limits.glitches)
        pings = TokenBucket(limits.pings)
        tinyUpdates = limits.glitches.burst
        unsafe handle = try Self.makeHandle(role, limits)
        // The library hands this pointer back in callbacks, which run only while a method of the
        // session runs: the session is alive then.
        unsafe nghttp2_session_set_user_data(handle, Unmanaged.passUnretained(self).toOpaque())
        try submitSettings()
    }

    deinit { unsafe nghttp2_session_del(handle) }

    private static func makeHandle(
        _ role: Role, _ limits: SessionLimits
    ) throws(HTTP2Error) -> OpaquePointer {
        var options: OpaquePointer?
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_option_new(&options) == 0, let options = unsafe options,
            unsafe nghttp2_session_callbacks_new(&callbacks) == 0,
            let callbacks = unsafe callbacks
        else { throw .outOfMemory }
        defer {
            unsafe nghttp2_option_del(options)
            unsafe nghttp2_session_callbacks_del(callbacks)
        }
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_peer_max_concurrent_streams(options, 100)
        unsafe nghttp2_option_set_stream_reset_rate_limit(
            options, UInt64(limits.peerResets.burst), UInt64(limits.peerResets.perSecond))
        unsafe registerCallbacks(callbacks)
        var handle: OpaquePointer?
        let result =
            switch role {
            case .client: unsafe nghttp2_session_client_new2(&handle, callbacks, nil, options)
            case .server: unsafe nghttp2_session_server_new2(&handle, callbacks, nil, options)
            }
        guard result == 0, let handle = unsafe handle else { throw .outOfMemory }
        return unsafe handle
    }

    private func submitSettings() throws(HTTP2Error) {
        func entry(_ id: UInt32, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id), value: UInt32(value))
        }
        var entries = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue, limits.streamWindowBytes),
            entry(NGHTTP2_SETTINGS_MAX_FRAME_SIZE.rawValue, limits.frameBytes),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue, limits.headerListBytes),
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue, 1),
        ]
        switch role {
        case .client: entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue, 0))
        case .server:
            entries.append(
                entry(
                    NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue,
                    limits.maximumConcurrentStreams))
        }
        let result = unsafe nghttp2_submit_settings(
            handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        try check(result, "SETTINGS")
        try check(
            unsafe nghttp2_session_set_local_window_size(
                handle, 0, 0, Int32(limits.connectionWindowBytes)), "connection window")
    }

    /// Turns a negative result into an error that names what was tried.
    func check(_ result: Int32, _ operation: String) throws(HTTP2Error) {
        guard result < 0 else { return }
        throw .refused(
            operation: operation, code: result, reason: Self.text(of: result))
    }

    static func text(of code: Int32) -> String {
        unsafe String(cString: nghttp2_strerror(code))
    }

    // MARK: Receiving

    /// Takes bytes from the peer; what they mean is in ``takeEvents(into:)``.
    ///
    /// - Throws: where the connection cannot go on; the events before the fault stay, and the
    ///   GOAWAY that tells the peer may still be produced.
    public func receive(
        _ bytes: RawSpan, at now: ContinuousClock.Instant
    ) throws(HTTP2Error) {
        self.now = now
        guard !isAbused else { return }
        let result = unsafe bytes.withUnsafeBytes { buffer -> Int in
            guard let base = buffer.baseAddress else { return 0 }
            unsafe inputBase = base
            defer { unsafe inputBase = nil }
            return unsafe nghttp2_session_mem_recv(
                handle, base.assumingMemoryBound(to: UInt8.self), buffer.count)
        }
        guard result < 0 else { return }
        let code = Int32(result)
        if code == NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue { throw .notHTTP2 }
        throw .connection(code: code, reason: Self.text(of: code))
    }

    /// Takes bytes from the peer and tells the listener at once what they mean.
    ///
    /// Nothing is kept and nothing allocated on the way. The listener may answer, reset, consume
    /// and ping, but neither receive nor produce.
    public func receive(
        _ bytes: RawSpan, at now: ContinuousClock.Instant, telling listener: any SessionListener
    ) throws(HTTP2Error) {
        self.listener = listener
        defer { self.listener = nil }
        try receive(bytes, at: now)
    }

    /// Like ``produce(into:)``; the listener hears at once what the frames bring about.
    public func produce(
        into span: inout OutputRawSpan, telling listener: any SessionListener
    ) throws(HTTP2Error) -> Bool {
        self.listener = listener
        defer { self.listener = nil }
        return try produce(into: &span)
    }

    /// Tells the listener of an event, or keeps it for ``takeEvents(into:)``.
    func tell(_ event: Event) {
        if let listener {
            listener.happened(event)
        } else {
            events.append(event)
        }
    }

    private static let spareLimit = 32

    /// A stream that nobody else holds.
    func makeStream(_ id: Int32) -> Stream {
        guard let stream = spareStreams.popLast() else { return Stream(id: id) }
        stream.begin(as: id)
        return stream
    }

    /// Keeps a closed stream for another life, unless its owner still holds it.
    func keep(_ stream: consuming Stream) {
        guard stream.owner == nil, spareStreams.count < Self.spareLimit,
            isKnownUniquelyReferenced(&stream)
        else { return }
        spareStreams.append(stream)
    }

    /// Takes bytes that lie in an array.
    public func receive(_ bytes: [UInt8], at now: ContinuousClock.Instant) throws(HTTP2Error) {
        try receive(unsafe bytes.span.bytes, at: now)
    }

    /// Exchanges the events so far for an empty array, whose storage is used again.
    public func takeEvents(into taken: inout [Event]) {
        taken.removeAll(keepingCapacity: true)
        swap(&taken, &events)
    }

    /// Whether the connection has more to say or to hear; false after its GOAWAY has ended it.
    public var isAlive: Bool {
        if isAbused, !wantsToWrite { return false }
        return unsafe nghttp2_session_want_read(handle) != 0
            || nghttp2_session_want_write(handle) != 0
    }

    /// Whether ``produce(into:)`` has anything to say.
    public var wantsToWrite: Bool {
        unsafe output.leftover > 0 || nghttp2_session_want_write(handle) != 0
    }

    /// The streams that are open, in no order.
    public var openStreams: [Stream] { streams.all }

    /// The open stream of a number.
    public func stream(_ id: Int32) -> Stream? { streams[id] }

    public var openStreamCount: Int { streams.count }
}
