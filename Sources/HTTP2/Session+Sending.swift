import CNghttp2

extension Session {
    /// Opens a stream with a request.
    ///
    /// Where the peer's limit of open streams is reached, the request waits in the session.
    public func request(
        _ headers: HeaderList, endsStream: Bool = false
    ) throws(HTTP2Error) -> Stream {
        let stream = makeStream(0)
        let id = unsafe withProvider(endsStream ? nil : stream) { provider in
            unsafe headers.withFields { fields in
                unsafe nghttp2_submit_request(
                    handle, nil, fields.baseAddress, fields.count, provider, nil)
            }
        }
        guard id > 0 else { throw .noMoreStreams }
        if endsStream { stream.end = .sent }
        stream.id = id
        // The table keeps the stream alive for as long as the library holds its pointer.
        streams.insert(stream)
        return stream
    }

    /// Answers a stream with headers; with `endsStream` they are the whole answer.
    public func respond(
        _ stream: Stream, _ headers: HeaderList, endsStream: Bool = false
    ) throws(HTTP2Error) {
        guard !stream.isClosed else { return }
        if endsStream { stream.end = .sent }
        let result = unsafe withProvider(endsStream ? nil : stream) { provider in
            unsafe headers.withFields { fields in
                unsafe nghttp2_submit_response(
                    handle, stream.id, fields.baseAddress, fields.count, provider)
            }
        }
        try check(result, "response")
    }

    /// Queues bytes of a stream, after its headers were submitted.
    public func send(_ stream: Stream, _ chunk: Chunk) {
        guard !stream.isClosed, !stream.wasResetByUs, case .open = stream.end else { return }
        stream.chunks.append(chunk)
        queuedBytes += chunk.count
        resume(stream)
    }

    /// Ends our side of a stream after what is queued, with trailers or without.
    public func finish(_ stream: Stream, trailers: HeaderList? = nil) throws(HTTP2Error) {
        guard !stream.isClosed, case .open = stream.end else { return }
        guard let trailers else {
            stream.end = .afterData
            resume(stream)
            return
        }
        if stream.isDeferred, stream.queuedBytes == 0 {
            // Nothing is left to frame: the trailers go alone, without an empty DATA frame.
            stream.end = .sent
            try submitTrailers(trailers, of: stream)
        } else {
            stream.end = .trailers(trailers)
            resume(stream)
        }
    }

    /// Gives up a stream; queued bytes are dropped once the peer was told so.
    ///
    /// Not before: a DATA frame of theirs may be on its way out, waiting for room.
    public func reset(_ stream: Stream, _ code: ErrorCode) {
        guard !stream.isClosed else { return }
        stream.wasResetByUs = true
        // Fails only without memory, where the connection is lost anyway.
        _ = unsafe nghttp2_submit_rst_stream(
            handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
    }

    /// Says that the application took bytes of a stream, which lets the peer send as many more on
    /// it. The connection's own window does not wait for that: a stream nobody reads holds up no
    /// other.
    public func consume(_ stream: Stream, _ count: Int) {
        guard !stream.isClosed, count > 0 else { return }
        precondition(
            count <= stream.unconsumedBytes, "\(count) bytes of \(stream.unconsumedBytes)")
        stream.unconsumedBytes -= count
        // Fails only without memory, where the connection is lost anyway.
        _ = unsafe nghttp2_session_consume_stream(handle, stream.id, count)
    }

    /// Asks the peer for a sign of life, which comes as ``Event/pingAcknowledged(_:)``.
    public func ping(_ payload: UInt64) throws(HTTP2Error) {
        let result = unsafe withUnsafeBytes(of: payload.littleEndian) { bytes in
            unsafe nghttp2_submit_ping(
                handle, UInt8(NGHTTP2_FLAG_NONE.rawValue),
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        try check(result, "PING")
        awaitedPings += 1
    }

    /// Counts an interim answer (1xx), of which a server may send any number: too many of them end
    /// the connection.
    public func noteInterimAnswer() {
        glitch("interim answers")
    }

    /// Announces that a GOAWAY will follow, so that streams on their way still arrive.
    public func announceShutdown() throws(HTTP2Error) {
        try check(unsafe nghttp2_submit_shutdown_notice(handle), "shutdown notice")
    }

    /// Takes no stream after the last one begun; open ones go on.
    public func goAway(_ code: ErrorCode = .noError) throws(HTTP2Error) {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(handle)
        try check(
            unsafe nghttp2_submit_goaway(
                handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, nil, 0),
            "GOAWAY")
    }

    /// Ends the connection once a last GOAWAY is sent.
    public func terminate(_ code: ErrorCode) {
        // Fails only without memory, where the connection is lost anyway.
        _ = unsafe nghttp2_session_terminate_session(handle, code.rawValue)
    }

    /// Lends the source of a stream's DATA frames, which the library copies; nil for none.
    private func withProvider<Result>(
        _ stream: Stream?, _ body: (UnsafePointer<nghttp2_data_provider>?) -> Result
    ) -> Result {
        guard let stream else { return body(nil) }
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        unsafe provider.read_callback = readData
        return unsafe withUnsafePointer(to: provider, body)
    }

    private func resume(_ stream: Stream) {
        guard stream.isDeferred else { return }
        stream.isDeferred = false
        // The stream is open and its data deferred, so this fails only without memory.
        _ = unsafe nghttp2_session_resume_data(handle, stream.id)
    }

    func submitTrailers(_ trailers: HeaderList, of stream: Stream) throws(HTTP2Error) {
        let result = unsafe trailers.withFields { fields in
            unsafe nghttp2_submit_trailer(
                handle, stream.id, fields.baseAddress, fields.count)
        }
        try check(result, "trailers")
    }
}

extension HeaderList {
    /// Lends the fields in the library's form; it copies them before `body` returns.
    func withFields<Result>(
        _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
    ) -> Result {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) {
                buffer in
                // The library takes pointers to mutable bytes but only reads them.
                let base = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress)
                for (index, field) in fields.enumerated() {
                    let name = unsafe base.map { unsafe $0 + Int(field.start) }
                    unsafe buffer.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: name, value: name.map { unsafe $0 + Int(field.nameCount) },
                            namelen: Int(field.nameCount), valuelen: Int(field.valueCount),
                            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                }
                return unsafe body(UnsafeBufferPointer(buffer))
            }
        }
    }
}
