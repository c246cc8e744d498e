/// Hears of a session's events as they happen.
public protocol SessionListener: AnyObject {
    func happened(_ event: Event)
}

/// What the peer's bytes, or our own sending, brought about.
public enum Event {
    /// A header block: a request, a response, an interim response, or trailers.
    case headers(Stream, HeaderBlock)
    /// Bytes of a stream: `range` counts from the start of the bytes given to
    /// ``Session/receive(_:at:)``, and lives no longer than they do.
    case data(Stream, range: Range<Int>)
    /// The peer will send no more on this stream.
    case end(Stream)
    /// Queued bytes of a stream were framed; ask ``Stream/takeWrittenBytes()`` how many.
    case wrote(Stream)
    /// The stream is no more; `code` is `noError` where it ended well.
    case closed(Stream, code: ErrorCode)
    /// The peer takes no stream above `last`.
    case goAway(last: Int32, code: ErrorCode, message: String)
    /// The peer answered our PING.
    case pingAcknowledged(UInt64)
    /// The peer's first SETTINGS are here.
    case settings
    /// The peer went beyond a limit; GOAWAY is queued, and the connection must end.
    case abused(reason: String)
}

/// A header block with what frames say of it.
public struct HeaderBlock: Sendable {
    public let fields: HeaderList
    /// Whether nothing follows.
    public let endsStream: Bool
    /// Whether fields were dropped because the list exceeded the limit.
    public let isTruncated: Bool
}
