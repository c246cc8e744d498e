import CNghttp2

extension Session {
    /// Lends the session a callback belongs to; the library only calls while a method of it runs, so
    /// that it need not be kept alive here.
    static func with<Result>(
        _ user: UnsafeMutableRawPointer?, or fallback: Result, _ body: (Session) -> Result
    ) -> Result {
        guard let user = unsafe user else { return fallback }
        return unsafe Unmanaged<Session>.fromOpaque(user)._withUnsafeGuaranteedRef(body)
    }

    private static let failed = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

    /// Callbacks tell of events and keep counts; they never send or receive.
    static func registerCallbacks(_ callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) {
            _, frame, user in
            guard let frame = unsafe frame else { return Session.failed }
            return unsafe Session.with(user, or: Session.failed) { unsafe $0.beginHeaders(frame) }
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, user in
            unsafe Session.with(user, or: Session.failed) {
                unsafe $0.addHeader(
                    UnsafeBufferPointer(start: name, count: nameCount),
                    UnsafeBufferPointer(start: value, count: valueCount))
            }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) {
            _, frame, user in
            guard let frame = unsafe frame else { return Session.failed }
            return unsafe Session.with(user, or: Session.failed) { session in
                unsafe session.received(frame)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, id, data, count, user in
            guard let data = unsafe data else { return Session.failed }
            return unsafe Session.with(user, or: Session.failed) { session in
                guard let base = unsafe session.inputBase else { return Session.failed }
                unsafe session.receivedData(
                    id, start: UnsafeRawPointer(data) - base, count: count)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) {
            _, header, user in
            guard let header = unsafe header else { return Session.failed }
            return unsafe Session.with(user, or: Session.failed) { session in
                unsafe session.begun(header.pointee)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
            _, id, code, user in
            unsafe Session.with(user, or: 0) { session in
                session.closed(id, ErrorCode(rawValue: code))
                return 0
            }
        }
        unsafe registerSendingCallbacks(callbacks)
    }

    private static func registerSendingCallbacks(_ callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks, sendData)
        unsafe nghttp2_session_callbacks_set_data_source_read_length_callback(
            callbacks, readLength)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) {
            _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe Session.with(user, or: 0) { session in
                unsafe session.sent(frame.pointee.hd)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) {
            _, frame, code, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe Session.with(user, or: 0) { session in
                unsafe session.notSent(frame, code)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
            _, _, _, user in
            unsafe Session.with(user, or: 0) { session in
                session.glitch("invalid frames")
                return 0
            }
        }
    }

    /// Sees frames of streams long gone, too.
    private func begun(_ header: nghttp2_frame_hd) {
        let ends = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        if UInt32(header.type) == NGHTTP2_DATA.rawValue, header.length == 0, !ends {
            glitch("empty DATA frames")
        } else if UInt32(header.type) == NGHTTP2_PRIORITY.rawValue {
            // The library ignores them, so that no later callback sees any.
            glitch("PRIORITY frames")
        }
    }

    private func beginHeaders(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        block.removeAll()
        blockIsTruncated = false
        droppedHeaderBytes = 0
        guard role == .server, unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        else { return 0 }
        let id = unsafe frame.pointee.hd.stream_id
        let stream = makeStream(id)
        stream.wasSent = true
        streams.insert(stream)
        return 0
    }

    /// Keeps a field, or drops it where the list is full.
    ///
    /// A few bytes of HPACK may stand for a list of gigabytes: where far more is dropped than the
    /// limit, the stream is reset, and the library decodes the rest without looking at it.
    private func addHeader(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) -> Int32 {
        let bytes = name.count + value.count + 32
        if !blockIsTruncated, block.listBytes + bytes <= limits.headerListBytes {
            unsafe block.append(name: name, value: value)
            return 0
        }
        blockIsTruncated = true
        droppedHeaderBytes += bytes
        return droppedHeaderBytes <= 4 * limits.headerListBytes
            ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }

    private func received(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        let flags = UInt32(header.flags)
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue:
            let ends = flags & NGHTTP2_FLAG_END_STREAM.rawValue != 0
            if ends, let stream = streams[header.stream_id] { tell(.end(stream)) }
        case NGHTTP2_HEADERS.rawValue:
            guard let stream = streams[header.stream_id] else { return }
            let ends = flags & NGHTTP2_FLAG_END_STREAM.rawValue != 0
            let fields = HeaderBlock(
                fields: block, endsStream: ends, isTruncated: blockIsTruncated)
            tell(.headers(stream, fields))
            if ends { tell(.end(stream)) }
        case NGHTTP2_SETTINGS.rawValue: receivedSettings(flags)
        case NGHTTP2_PING.rawValue: unsafe receivedPing(frame.pointee.ping, flags)
        case NGHTTP2_GOAWAY.rawValue: unsafe receivedGoAway(frame.pointee.goaway)
        case NGHTTP2_WINDOW_UPDATE.rawValue:
            if unsafe frame.pointee.window_update.window_size_increment < 16 {
                takeTinyUpdate()
            }
        default: break
        }
    }

    private func receivedSettings(_ flags: UInt32) {
        guard flags & NGHTTP2_FLAG_ACK.rawValue == 0 else { return }
        if hasSettings { return glitch("SETTINGS frames") }
        hasSettings = true
        tell(.settings)
    }

    private func receivedPing(_ ping: nghttp2_ping, _ flags: UInt32) {
        if flags & NGHTTP2_FLAG_ACK.rawValue != 0 {
            guard awaitedPings > 0 else { return glitch("answers to no PING") }
            awaitedPings -= 1
            let payload = unsafe withUnsafeBytes(of: ping.opaque_data) {
                unsafe $0.loadUnaligned(as: UInt64.self)
            }
            tell(.pingAcknowledged(UInt64(littleEndian: payload)))
        } else if !pings.take(at: now) {
            abuse("too_many_pings")
        }
    }

    private func receivedGoAway(_ frame: nghttp2_goaway) {
        glitch("GOAWAY frames")
        var message = ""
        if let data = unsafe frame.opaque_data {
            // The library owns these bytes until the callback returns.
            message = unsafe String(
                decoding: UnsafeBufferPointer(
                    start: data, count: min(frame.opaque_data_len, 256)), as: UTF8.self)
        }
        tell(
            .goAway(
                last: unsafe frame.last_stream_id,
                code: ErrorCode(rawValue: unsafe frame.error_code), message: message))
    }

    private func receivedData(_ id: Int32, start: Int, count: Int) {
        consumeConnection(count)
        guard let stream = streams[id] else { return }
        stream.unconsumedBytes += count
        tell(.data(stream, range: start..<start + count))
    }

    private func closed(_ id: Int32, _ code: ErrorCode) {
        guard let stream = streams.remove(id) else { return }
        stream.isClosed = true
        queuedBytes -= stream.queuedBytes
        stream.chunks.removeAll()
        stream.unconsumedBytes = 0
        tell(.closed(stream, code: code))
        keep(stream)
    }

    private func sent(_ header: nghttp2_frame_hd) {
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            streams[header.stream_id]?.wasSent = true
            pings.refill()
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
                answered(header.stream_id)
            }
        case NGHTTP2_DATA.rawValue:
            pings.refill()
            tinyUpdates += 4
        case NGHTTP2_RST_STREAM.rawValue:
            if let stream = streams[header.stream_id], stream.wasResetByUs { return }
            glitch("frames that force stream resets")
        default: break
        }
    }

    /// After a complete answer the client need not send the rest of its request.
    ///
    /// - Source: RFC 9113, section 8.1.
    private func answered(_ id: Int32) {
        guard role == .server, let stream = streams[id],
            unsafe nghttp2_session_get_stream_remote_close(handle, id) == 0
        else { return }
        reset(stream, .noError)
    }

    private func notSent(_ frame: UnsafePointer<nghttp2_frame>, _ code: Int32) {
        guard unsafe UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue else { return }
        let id = unsafe frame.pointee.hd.stream_id
        if role == .client, unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
            closed(id, .refusedStream)
        } else if code == NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue
            || code == NGHTTP2_ERR_HEADER_COMP.rawValue, let stream = streams[id]
        {
            // Without them the peer would wait for ever.
            reset(stream, .internalError)
        }
    }

    /// Honest peers send tiny updates, too (gRPC's C core does), but a few for each DATA frame they
    /// were sent and no more.
    private func takeTinyUpdate() {
        tinyUpdates -= 1
        if tinyUpdates < 0 { abuse("too many tiny WINDOW_UPDATE frames") }
    }

    /// Counts a fault of the peer; too many of them end the connection.
    func glitch(_ kind: String) {
        if !glitches.take(at: now) { abuse("too many " + kind) }
    }

    private func abuse(_ reason: String) {
        guard !isAbused else { return }
        isAbused = true
        let text = Array(reason.utf8)
        let last = unsafe nghttp2_session_get_last_proc_stream_id(handle)
        // Fails only without memory, where the connection is lost anyway.
        _ = unsafe nghttp2_submit_goaway(
            handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, ErrorCode.enhanceYourCalm.rawValue,
            text, text.count)
        tell(.abused(reason: reason))
    }
}
