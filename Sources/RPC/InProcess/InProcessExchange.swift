import HTTP2
import NIOCore

/// One direction of a call between two sides of a process.
///
/// Messages wait here while the reader holds as many bytes as its window allows.
struct InProcessFlow {
    private let windowBytes: Int
    private var queue = ShortQueue<Chunk>()
    private var assembler: MessageAssembler
    /// Bytes that were delivered and not given back.
    private var unreadBytes = 0
    /// Whether no message follows those that wait.
    var isFinished = false

    init(windowBytes: Int, limit: MessageLimit) {
        self.windowBytes = windowBytes
        assembler = MessageAssembler(limit: limit)
    }

    var isEmpty: Bool { queue.isEmpty }

    mutating func append(_ chunks: ShortQueue<Chunk>) {
        chunks.forEach { queue.append($0) }
    }

    mutating func giveBack(_ credit: Int) {
        unreadBytes -= credit
    }

    /// The next message that may be delivered and its size; nil where none may.
    mutating func next() throws(Status) -> (messages: ShortQueue<[UInt8]>, count: Int)? {
        guard unreadBytes < windowBytes, let chunk = queue.popFirst() else { return nil }
        let count = chunk.count
        let buffer = ByteBuffer(bytes: chunk.bytes)
        var messages = ShortQueue<[UInt8]>()
        try assembler.feed(buffer, from: buffer.readerIndex, count: count) { messages.append($0) }
        unreadBytes += count
        return (messages, count)
    }
}

/// A call of a client with its counterpart on the server.
final class InProcessExchange {
    let client: ClientCall
    let server: ServerCall
    var requests: InProcessFlow
    var responses: InProcessFlow
    /// Whether the handler was told that no request follows.
    var hasEndedRequests = false
    var hasStarted = false
    var hasHeaders = false
    /// How the handler ended the call.
    var outcome: (status: Status, trailers: Metadata)?

    init(
        _ client: ClientCall, _ server: ServerCall, requests: InProcessFlow,
        responses: InProcessFlow
    ) {
        self.client = client
        self.server = server
        self.requests = requests
        self.responses = responses
    }
}

extension Metadata {
    /// The size as a header list has it: names, values, and 32 bytes for each.
    ///
    /// - Source: RFC 9113, section 6.5.2.
    var listBytes: Int {
        entries.reduce(0) { sum, entry in
            let value =
                switch entry.value {
                case .ascii(let text): text.utf8.count
                case .binary(let bytes): (bytes.count * 4 + 2) / 3
                }
            return sum + entry.name.utf8.count + value + 32
        }
    }
}
