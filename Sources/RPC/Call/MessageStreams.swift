public import Wire

/// The messages a caller sends, as the handler reads them.
///
/// Reading grants the caller leave to send more: who does not read, is not sent to.
public struct RequestStream<Message: WireMessage>: AsyncSequence, Sendable {
    public typealias Element = Message
    let source: any MessageSource

    public struct AsyncIterator: AsyncIteratorProtocol {
        let source: any MessageSource

        public mutating func next() async throws -> Message? {
            guard let bytes = try await source.nextMessage() else { return nil }
            return try Message(decoding: bytes)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }
}

/// The messages a service answers with, as the caller reads them; ends by throwing a ``Status``
/// unless the call succeeded.
public struct ResponseStream<Message: WireMessage>: AsyncSequence, Sendable {
    public typealias Element = Message
    let call: ClientCall

    public struct AsyncIterator: AsyncIteratorProtocol {
        let call: ClientCall

        public mutating func next() async throws -> Message? {
            guard let bytes = try await call.nextMessage() else { return nil }
            return try call.decode(bytes)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(call: call) }

    /// The metadata ahead of the first message; waits until the service sent it.
    public func headers() async throws -> Metadata { try await call.headers() }

    /// The metadata after the last message; empty before the end.
    public var trailers: Metadata { call.trailers }
}

/// Where a handler writes its answers.
public struct ResponseWriter<Message: WireMessage>: Sendable {
    let sink: any MessageSink

    /// Sends a message; suspends while the caller does not read.
    public func write(_ message: Message) async throws {
        try await sink.write(message.encoded())
    }
}

/// Where a caller writes its requests.
public struct RequestWriter<Message: WireMessage>: Sendable {
    let sink: any MessageSink

    /// Sends a message; suspends while the service does not read.
    public func write(_ message: Message) async throws {
        try await sink.write(message.encoded())
    }
}

/// One direction of a call, read by a task.
public protocol MessageSource: AnyObject, Sendable {
    /// The next message, or nil after the last; throws the status of a call that failed.
    func nextMessage() async throws -> [UInt8]?
}

/// One direction of a call, written by a task.
public protocol MessageSink: AnyObject, Sendable {
    /// Queues a message; suspends while the queue is full, throws once the call has ended.
    func write(_ message: [UInt8]) async throws
}
