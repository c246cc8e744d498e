import COpenSSL
import NIOCore

/// Lets the library read from and write to a ``TLSEngine``'s buffers, as it would a socket.
///
/// Its own memory buffers would copy every byte once more each way, and grow while they do.
enum EngineBIO {
    /// Sendable because the table is complete before anybody sees it, and the library only reads it.
    @safe private struct Table: @unchecked Sendable {
        let methods: OpaquePointer?
    }

    private static let table = unsafe Table(methods: makeMethods())

    /// A BIO over the engine's buffers, which must outlive it; nil without memory.
    static func make(for engine: TLSEngine) -> OpaquePointer? {
        guard let methods = unsafe table.methods, let bio = unsafe BIO_new(methods) else {
            return nil
        }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(engine).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    /// The engine of a connection of the library's; as above, only while a method of it runs.
    static func engine(ofConnection handle: OpaquePointer?) -> TLSEngine? {
        unsafe engine(of: SSL_get_rbio(handle))
    }

    /// The engine of a BIO; the library calls only while a method of it runs.
    private static func engine(of bio: OpaquePointer?) -> TLSEngine? {
        unsafe BIO_get_data(bio).map {
            unsafe Unmanaged<TLSEngine>.fromOpaque($0).takeUnretainedValue()
        }
    }

    private static func makeMethods() -> OpaquePointer? {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let methods = unsafe BIO_meth_new(type, "engine") else { return nil }
        unsafe BIO_meth_set_read(methods) { bio, target, count in
            guard let engine = unsafe EngineBIO.engine(of: bio), let target = unsafe target,
                count > 0
            else {
                return 0
            }
            unsafe hone_bio_clear_retry(bio)
            // Nothing more is read of what a flooding peer has sent already.
            guard !engine.isFlooded else { return -1 }
            let length = min(Int(count), engine.incoming.readableBytes)
            guard length > 0 else {
                // Not the end: more may come.
                unsafe hone_bio_set_retry_read(bio)
                return -1
            }
            unsafe engine.incoming.readWithUnsafeReadableBytes { source in
                unsafe UnsafeMutableRawBufferPointer(start: target, count: length)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<length]))
                return length
            }
            return Int32(length)
        }
        unsafe BIO_meth_set_write(methods) { bio, source, count in
            guard let engine = unsafe EngineBIO.engine(of: bio), let source = unsafe source,
                count > 0
            else {
                return 0
            }
            unsafe hone_bio_clear_retry(bio)
            unsafe engine.outgoing.writeBytes(
                UnsafeRawBufferPointer(start: source, count: Int(count)))
            return count
        }
        // Nothing is kept back, so that there is nothing to flush; all else is unknown here.
        unsafe BIO_meth_set_ctrl(methods) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return unsafe methods
    }
}
