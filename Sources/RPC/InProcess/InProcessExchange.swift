import HTTP2
import NIOCore

/// One direction of a call between two sides of a process.
///
/// Messages wait here while the reader holds as many bytes as its window allows.
struct InProcessFlow {
    private let windowBytes: Int
    private var queue = ShortQueue<Chunk>()
    private var assembler: MessageAssembler
    /// Expands messages; nil where none is compressed.
    private let inflater: MessageInflater?
    /// Bytes that were delivered and not given back.
    private var unreadBytes = 0
    /// Whether no message follows those that wait.
    var isFinished = false

    init(windowBytes: Int, limit: MessageLimit, isCompressed: Bool = false) {
        self.windowBytes = windowBytes
        assembler = MessageAssembler(limit: limit)
        assembler.keepsFlags = isCompressed
        inflater = isCompressed ? MessageInflater(limit: limit) : nil
    }

    var isEmpty: Bool { queue.isEmpty }

    mutating func append(_ chunks: ShortQueue<Chunk>) {
        chunks.forEach { queue.append($0) }
    }

    mutating func giveBack(_ credit: Int) {
        unreadBytes -= credit
    }

    /// What may be delivered now.
    struct Delivery {
        var messages = ShortQueue<[UInt8]>()
        /// The bytes its reader takes.
        var count = 0
        /// The bytes its writer had queued, which are fewer where messages are compressed.
        let written: Int
    }

    /// The next message that may be delivered; nil where none may.
    mutating func next() throws(Status) -> Delivery? {
        guard unreadBytes < windowBytes, let chunk = queue.popFirst() else { return nil }
        let buffer = ByteBuffer(bytes: chunk.bytes)
        var whole = ShortQueue<[UInt8]>()
        try assembler.feed(buffer, from: buffer.readerIndex, count: chunk.count) {
            whole.append($0)
        }
        var delivery = Delivery(written: chunk.count)
        while var message = whole.popFirst() {
            if let inflater { message = try inflater.open(message) }
            delivery.count += MessageAssembler.prefixBytes + message.count
            delivery.messages.append(message)
        }
        unreadBytes += delivery.count
        return delivery
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
