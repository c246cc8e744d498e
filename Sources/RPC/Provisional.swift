public import Wire

extension WireError: StatusConvertible {
    public var status: Status { Status(.invalidArgument, "\(self)") }
}

final class ServerCall: Sendable, MessageSource, MessageSink {
    func nextMessage() async throws -> [UInt8]? { nil }
    func write(_ message: [UInt8]) async throws {}
    func sendHeaders(_ metadata: Metadata) {}
    func setTrailers(_ metadata: Metadata) {}
    func onlyMessage<Message: WireMessage>(as type: Message.Type) async throws -> Message {
        throw Status(.unimplemented, "not yet")
    }
}

final class ClientCall: Sendable {
    func nextMessage() async throws -> [UInt8]? { nil }
    func headers() async throws -> Metadata { Metadata() }
    var trailers: Metadata { Metadata() }
    func decode<Message: WireMessage>(_ bytes: [UInt8]) throws -> Message {
        try Message(decoding: bytes)
    }
}
