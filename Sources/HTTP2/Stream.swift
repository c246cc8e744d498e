/// One request and its response; belongs to the session that made it.
public final class Stream {
    /// Its number on the connection.
    public internal(set) var id: Int32
    /// What the owner of the session keeps with the stream.
    public var owner: AnyObject?
    public internal(set) var isClosed: Bool = false
    /// Whether its first HEADERS left; before that the peer cannot know of it.
    public internal(set) var wasSent: Bool = false
    /// Received bytes that were not consumed yet.
    public internal(set) var unconsumedBytes: Int = 0

    var chunks = ChunkQueue()
    var end = End.open
    /// Whether the library waits for us to say that there is more to send.
    var isDeferred = false
    var wasResetByUs = false
    /// Whether it takes turns with others, instead of sending all it has.
    var takesTurns = false
    private var writtenBytes = 0

    enum End {
        case open
        case afterData
        case trailers(HeaderList)
        case sent
    }

    init(id: Int32) {
        self.id = id
    }

    /// Begins a new life under another number, with the storage of the old one.
    func begin(as id: Int32) {
        self.id = id
        isClosed = false
        wasSent = false
        end = .open
        isDeferred = false
        wasResetByUs = false
        takesTurns = false
        unconsumedBytes = 0
        writtenBytes = 0
    }

    /// How many bytes wait to be framed.
    public var queuedBytes: Int { chunks.byteCount }

    /// How many queued bytes were framed since the last call.
    public func takeWrittenBytes() -> Int {
        defer { writtenBytes = 0 }
        return writtenBytes
    }

    /// Notes framed bytes; true where the owner has yet to hear of any.
    func noteWritten(_ count: Int) -> Bool {
        defer { writtenBytes += count }
        return writtenBytes == 0
    }
}

/// Bytes to send, each run with a few bytes in front, so that a prefix costs no copy of a message.
public struct Chunk: Sendable {
    /// Up to eight bytes, the first in the lowest byte.
    let head: UInt64
    let headCount: Int
    let body: [UInt8]

    public init(_ body: [UInt8]) {
        head = 0
        headCount = 0
        self.body = body
    }

    /// A body after one byte and a big-endian 32-bit number.
    public init(flag: UInt8, length: UInt32, body: [UInt8]) {
        head = UInt64(flag) | UInt64(length.byteSwapped) << 8
        headCount = 5
        self.body = body
    }

    public var count: Int { headCount + body.count }
}

/// Chunks in the order they were queued; the first may be sent in part.
struct ChunkQueue {
    private var chunks: [Chunk] = []
    private var first = 0
    /// How much of the first chunk was sent.
    private var offset = 0
    private(set) var byteCount = 0

    mutating func append(_ chunk: Chunk) {
        chunks.append(chunk)
        byteCount += chunk.count
    }

    /// Empties the queue; where it was empty already, its storage stays.
    mutating func removeAll() {
        if byteCount > 0 { self = ChunkQueue() }
    }

    /// Copies the next `count` bytes, which must be there.
    mutating func move(_ count: Int, to target: UnsafeMutableRawPointer) {
        precondition(count <= byteCount, "\(count) bytes asked of \(byteCount)")
        var done = 0
        while done < count {
            done += unsafe moveSome(count - done, to: target + done)
        }
        byteCount -= count
        if first == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 64, first * 2 > chunks.count {
            chunks.removeFirst(first)
            first = 0
        }
    }

    /// Copies from the first chunk alone; the caller checked that `limit` bytes are queued.
    private mutating func moveSome(_ limit: Int, to target: UnsafeMutableRawPointer) -> Int {
        let chunk = chunks[first]
        let moved: Int
        if offset < chunk.headCount {
            moved = min(limit, chunk.headCount - offset)
            for index in 0..<moved {
                let byte = UInt8(truncatingIfNeeded: chunk.head >> (8 * UInt64(offset + index)))
                unsafe target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            }
        } else {
            let start = offset - chunk.headCount
            moved = min(limit, chunk.body.count - start)
            unsafe chunk.body.withUnsafeBytes { source in
                guard moved > 0, let base = source.baseAddress else { return }
                unsafe target.copyMemory(from: base + start, byteCount: moved)
            }
        }
        offset += moved
        if offset == chunk.count {
            chunks[first] = Chunk([])
            first += 1
            offset = 0
        }
        return moved
    }
}
