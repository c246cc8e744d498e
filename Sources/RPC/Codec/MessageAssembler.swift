import NIOCore

/// Cuts the bytes of a stream into messages.
///
/// ```
/// offset  0        1               5
///         ┌────────┬───────────────┬─────────────────────┐
///         │ flag   │ length, big-  │ length bytes of the │  again and again
///         │ 0 or 1 │ endian UInt32 │ message             │
///         └────────┴───────────────┴─────────────────────┘
/// ```
/// DATA frames end anywhere. A message is refused by its length before its bytes are kept.
struct MessageAssembler {
    static let prefixBytes = 5

    private let limit: MessageLimit
    /// Whether messages may be compressed: then each is handed out with its flag before it.
    var keepsFlags = false
    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var body: [UInt8] = []
    /// The bytes the present message lacks; nil while its prefix is incomplete.
    private var missing: Int?

    init(limit: MessageLimit) {
        self.limit = limit
    }

    /// The bytes of a message that is not complete.
    var heldBytes: Int { body.count }

    /// Forgets a message that will not be completed.
    mutating func drop() {
        body = []
    }

    /// Whether the bytes so far end between two messages.
    var isBetweenMessages: Bool { prefixCount == 0 }

    /// Takes the bytes of `buffer` from `start`, and hands each message that is complete.
    mutating func feed(
        _ buffer: ByteBuffer, from start: Int, count: Int, _ message: ([UInt8]) -> Void
    ) throws(Status) {
        var index = start
        let end = start + count
        while index < end {
            if let missing {
                let taken = min(missing, end - index)
                append(buffer, index, taken)
                index += taken
                self.missing = missing - taken
            } else {
                try takePrefix(buffer, &index, end)
            }
            if missing == 0 {
                message(body)
                body = []
                missing = nil
                prefixCount = 0
                prefix = 0
            }
        }
    }

    private mutating func append(_ buffer: ByteBuffer, _ index: Int, _ count: Int) {
        if body.isEmpty, count == missing {
            body = buffer.getBytes(at: index, length: count) ?? []
            return
        }
        // The length was checked, but bytes that may never come are not paid for in advance.
        if body.isEmpty { body.reserveCapacity(min((missing ?? 0), 256 << 10)) }
        if let bytes = buffer.viewBytes(at: index, length: count) {
            body.append(contentsOf: bytes)
        }
    }

    private mutating func takePrefix(
        _ buffer: ByteBuffer, _ index: inout Int, _ end: Int
    ) throws(Status) {
        if prefixCount == 0, end - index >= Self.prefixBytes,
            let flag = buffer.getInteger(at: index, as: UInt8.self),
            let length = buffer.getInteger(at: index + 1, as: UInt32.self)
        {
            prefix = UInt64(flag) << 32 | UInt64(length)
            prefixCount = Self.prefixBytes
            index += Self.prefixBytes
        } else {
            prefix = prefix << 8 | UInt64(buffer.getInteger(at: index, as: UInt8.self) ?? 0)
            prefixCount += 1
            index += 1
        }
        guard prefixCount == Self.prefixBytes else { return }
        guard prefix >> 32 <= (keepsFlags ? 1 : 0) else {
            throw Status(
                .internal,
                "a message has the flag \(prefix >> 32), which its headers do not announce")
        }
        let length = Int(prefix & 0xFFFF_FFFF)
        guard length <= limit.bytes else {
            throw Status(
                .resourceExhausted,
                "a message of \(length) bytes exceeds the limit of \(limit.bytes) bytes; "
                    + "raise \(limit.name) or send less")
        }
        if keepsFlags { body = [UInt8(prefix >> 32)] }
        missing = length
    }
}

/// How large a message may be, and who says so.
struct MessageLimit: Sendable {
    private(set) var bytes: Int
    private let type: String
    private let option: String
    private var isOption = false

    /// The limit of a message's type, unless an option asks for less.
    init(type: String, bytes: Int, option: String, optionBytes: Int?) {
        self.type = type
        self.bytes = bytes
        self.option = option
        lower(to: optionBytes)
    }

    /// Applies the option, where it is lower.
    mutating func lower(to optionBytes: Int?) {
        guard let optionBytes, optionBytes < bytes else { return }
        bytes = optionBytes
        isOption = true
    }

    /// What to raise.
    var name: String { isOption ? option : type + ".maximumBytes" }
}
