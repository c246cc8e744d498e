import CNghttp2

/// Where frames go while ``Session/produce(into:)`` runs, and what did not fit.
@safe struct Output {
    /// The buffer being filled; empty outside of `produce`.
    var buffer = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var count = 0
    /// The library's own bytes that did not fit; valid until it is asked for more.
    var leftoverBase: UnsafePointer<UInt8>?
    var leftover = 0
    /// Whether a DATA frame waits for a larger buffer.
    var isBlocked = false

    var room: Int { unsafe buffer.count - count }

    mutating func append(_ source: UnsafeRawPointer, _ length: Int) {
        precondition(length <= room, "\(length) bytes into \(room)")
        guard let base = unsafe buffer.baseAddress else { return }
        unsafe (base + count).copyMemory(from: source, byteCount: length)
        count += length
    }

    /// Copies as much of the leftover as fits.
    mutating func moveLeftover() {
        guard let base = unsafe leftoverBase, leftover > 0 else { return }
        let length = min(leftover, room)
        unsafe append(base, length)
        unsafe leftoverBase = base + length
        leftover -= length
    }
}

extension Session {
    /// The least room ``produce(into:)`` needs to make progress.
    public static let minimumOutputBytes = (16 << 10) + 9

    /// Appends frames to `span` until it is full or nothing is left to send.
    ///
    /// - Returns: whether more is waiting for room.
    public func produce(into span: inout OutputRawSpan) throws(HTTP2Error) -> Bool {
        let failure = unsafe span.withUnsafeMutableBytes { buffer, initialized in
            unsafe fill(buffer, &initialized)
        }
        if let failure { throw failure }
        return output.leftover > 0 || output.isBlocked
    }

    /// Up to `limit` bytes of frames, at least ``minimumOutputBytes`` allowed; empty at the end.
    public func produce(upTo limit: Int) throws(HTTP2Error) -> [UInt8] {
        var failure: HTTP2Error?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
            failure = unsafe fill(UnsafeMutableRawBufferPointer(buffer), &initialized)
        }
        if let failure { throw failure }
        return bytes
    }

    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer, _ initialized: inout Int
    ) -> HTTP2Error? {
        unsafe output.buffer = buffer
        output.count = initialized
        output.isBlocked = false
        defer {
            initialized = output.count
            unsafe output.buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        while true {
            output.moveLeftover()
            guard output.leftover == 0 else { return nil }
            var frame: UnsafePointer<UInt8>?
            let length = unsafe nghttp2_session_mem_send(handle, &frame)
            if length < 0 {
                return .connection(code: Int32(length), reason: Self.text(of: Int32(length)))
            }
            // Zero means that nothing is left, or that a DATA frame found no room.
            guard length > 0 else { return nil }
            unsafe output.leftoverBase = frame
            output.leftover = length
        }
    }
}

/// Tells the library how many queued bytes a DATA frame may carry; they are copied later, by
/// ``sendData``, straight into the output.
let readData: nghttp2_data_source_read_callback = {
    _, _, _, length, flags, source, user in
    let failed = Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
    guard let flags = unsafe flags, let pointer = unsafe source?.pointee.ptr else { return failed }
    return unsafe Session.with(user, or: failed) { session in
        // The session's table keeps the stream alive until the library closes it.
        unsafe Unmanaged<Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
            unsafe session.read(stream, upTo: length, &flags.pointee)
        }
    }
}

/// Copies a DATA frame into the output, or asks to be called again where it does not fit.
let sendData: nghttp2_send_data_callback = { _, _, header, length, source, user in
    let failed = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    guard let header = unsafe header, let pointer = unsafe source?.pointee.ptr else {
        return failed
    }
    return unsafe Session.with(user, or: failed) { session in
        unsafe Unmanaged<Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
            unsafe session.frame(stream, header, length)
        }
    }
}

/// How long a DATA frame may be: what fits into the output, the windows and the peer's limit.
let readLength: nghttp2_data_source_read_length_callback = {
    _, _, _, connectionWindow, streamWindow, peerFrameBytes, user in
    unsafe Session.with(user, or: 1 << 14) { session in
        let room = session.output.room - 9
        let wanted = room >= 1024 ? room : 1 << 14
        let windows = min(Int(connectionWindow), Int(streamWindow))
        return max(1, min(wanted, windows, Int(peerFrameBytes), session.limits.frameBytes))
    }
}

extension Session {
    fileprivate func read(_ stream: Stream, upTo length: Int, _ flags: inout UInt32) -> Int {
        let available = stream.queuedBytes
        if available == 0, case .open = stream.end {
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let count = min(length, available)
        flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        guard count == available else { return count }
        switch stream.end {
        case .open: break
        case .afterData, .sent:
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            stream.end = .sent
        case .trailers(let trailers):
            flags |=
                NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            stream.end = .sent
            do {
                try submitTrailers(trailers, of: stream)
            } catch {
                return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
            }
        }
        return count
    }

    fileprivate func frame(
        _ stream: Stream, _ header: UnsafePointer<UInt8>, _ length: Int
    ) -> Int32 {
        guard output.room >= 9 + length else {
            output.isBlocked = true
            return NGHTTP2_ERR_WOULDBLOCK.rawValue
        }
        unsafe output.append(header, 9)
        if length > 0, let base = unsafe output.buffer.baseAddress {
            unsafe stream.chunks.move(length, to: base + output.count)
            output.count += length
            queuedBytes -= length
            if stream.noteWritten(length) { tell(.wrote(stream)) }
        }
        return 0
    }
}
