package import HTTP2
import NIOCore

/// What fuzzing reaches of the codecs; calls go through a connection instead.
package enum CodecProbe {
    /// The messages in bytes that arrive in pieces, and the fault that ended them.
    ///
    /// - Parameter limit: the largest message, in bytes.
    package static func messages(
        in pieces: [[UInt8]], limit: Int
    ) -> (messages: [[UInt8]], fault: Status?, isBetweenMessages: Bool) {
        var assembler = MessageAssembler(
            limit: MessageLimit(type: "Fuzz", bytes: limit, option: "limit", optionBytes: nil))
        var messages: [[UInt8]] = []
        for piece in pieces {
            let buffer = ByteBuffer(bytes: piece)
            do {
                try assembler.feed(buffer, from: buffer.readerIndex, count: piece.count) {
                    messages.append($0)
                }
            } catch {
                return (messages, error, false)
            }
        }
        return (messages, nil, assembler.isBetweenMessages)
    }

    package static func metadata(of list: HeaderList) -> Metadata { HeaderCodec.metadata(of: list) }

    package static func status(of list: HeaderList) -> Status? { HeaderCodec.status(of: list) }

    package static func trailers(_ status: Status, _ metadata: Metadata) -> HeaderList {
        HeaderCodec.trailers(status, metadata)
    }
}
