import NIOCore
import NIOPosix
import Synchronization

/// Lends a loop's connections the buffer they write frames into, one after the other.
///
/// A connection that is idle holds none. Storage is used again once the socket has taken what was
/// in it; before that, whoever asks gets new storage.
final class OutputBuffers: Sendable {
    private static let perThread = ThreadSpecificVariable<OutputBuffers>()

    /// How many bytes of frames a buffer takes.
    static let capacity = 64 << 10

    private let spare = Mutex(ByteBuffer())

    /// Those of the event loop whose thread asks.
    static var ofThisThread: OutputBuffers {
        if let buffers = perThread.currentValue { return buffers }
        let buffers = OutputBuffers()
        perThread.currentValue = buffers
        return buffers
    }

    func take() -> ByteBuffer {
        var buffer = spare.withLock { spare in
            defer { spare = ByteBuffer() }
            return spare
        }
        buffer.clear(minimumCapacity: Self.capacity)
        return buffer
    }

    /// Keeps a buffer that may still be on its way to the socket.
    func keep(_ buffer: ByteBuffer) {
        spare.withLock { $0 = buffer }
    }
}
