import HTTP2

extension ServerConfiguration {
    /// What the configuration says of a connection's HTTP/2.
    var sessionLimits: SessionLimits {
        var limits = SessionLimits()
        limits.maximumConcurrentStreams = maximumConcurrentStreams
        limits.headerListBytes = maximumHeaderBytes
        limits.streamWindowBytes = streamWindowBytes
        limits.connectionWindowBytes = connectionWindowBytes
        limits.pings = SessionLimits.Rate(
            burst: pingBurst,
            perSecond: .seconds(1) / max(minimumPingInterval, .microseconds(1)))
        return limits
    }

    /// What compresses the answers to a request: only where we or it want it and the caller takes it.
    func deflater(for headers: HeaderList) -> MessageDeflater? {
        let isMirrored = mirrorsCompression && headers.isFirst(.grpcEncoding, "gzip")
        guard let compression = compression ?? (isMirrored ? .gzip : nil),
            compression.isAccepted(headers.firstBytes(.grpcAcceptEncoding))
        else { return nil }
        return MessageDeflater(minimumBytes: minimumCompressedBytes)
    }
}
