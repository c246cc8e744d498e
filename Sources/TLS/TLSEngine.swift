import COpenSSL
import Glibc
import NIOCore

/// One connection's TLS state between two buffers: no I/O.
///
/// ```
/// peer ──▶ receive ──▶ [incoming] ──▶ SSL ──▶ readPlain ──▶ application
/// peer ◀── takeSealed ◀── [outgoing] ◀── SSL ◀── writePlain ◀── application
/// ```
/// The library takes bytes out of the buffer they were received in, and seals them into the one
/// that goes to the socket (``EngineBIO``): nothing is copied in between.
@safe final class TLSEngine {
    private let handle: OpaquePointer
    private let context: TLSContext
    /// What the peer sent and the library has not taken.
    var incoming = ByteBuffer()
    /// What the library has for the peer.
    var outgoing = ByteBuffer()
    /// Whether the peer has said goodbye: what it sends after that is not read.
    private(set) var isPeerDone = false

    /// Whether the peer sends more messages of the handshake's kind than a connection needs.
    private(set) var isFlooded = false
    private var isOpen = false
    /// How many such messages may still come, and since when they are counted.
    private var stepsLeft = TLSEngine.stepsAtOnce
    private var stepsCounted = NIODeadline.now()
    /// New keys (RFC 8446, 4.6.3) and tickets come once in a while: a key lasts for millions of
    /// records. An answer counts like what it answers.
    static let stepsAtOnce = 64

    /// - Parameter serverName: whom a client expects; a name or an IP address.
    init(_ context: TLSContext, serverName: String?) throws(TLSError) {
        guard let handle = unsafe SSL_new(context.handle) else {
            throw .setupFailed(reason: TLSContext.lastReason())
        }
        unsafe self.handle = handle
        self.context = context
        guard let bio = unsafe EngineBIO.make(for: self) else {
            throw .setupFailed(reason: "out of memory")
        }
        // The handle owns it from now on, once for both directions.
        unsafe SSL_set_bio(handle, bio, bio)
        switch context.role {
        case .server: unsafe SSL_set_accept_state(handle)
        case .client:
            unsafe SSL_set_connect_state(handle)
            try expect(serverName)
        }
    }

    deinit { unsafe SSL_free(handle) }

    private func expect(_ serverName: String?) throws(TLSError) {
        let name = context.application.name
        let offer = [UInt8(name.count)] + name
        // Zero is success for this one function of the library.
        guard unsafe SSL_set_alpn_protos(handle, offer, UInt32(offer.count)) == 0 else {
            throw .setupFailed(reason: TLSContext.lastReason())
        }
        guard let serverName else { return }
        if Self.isAddress(serverName) {
            let parameters = unsafe SSL_get0_param(handle)
            guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1 else {
                throw .setupFailed(reason: "\(serverName) is no IP address")
            }
        } else {
            guard unsafe hone_ssl_set_server_name(handle, serverName) == 1,
                unsafe SSL_set1_host(handle, serverName) == 1
            else { throw .setupFailed(reason: "\(serverName) cannot be a server's name") }
        }
    }

    static func isAddress(_ name: String) -> Bool {
        var address = in6_addr()
        return unsafe inet_pton(AF_INET, name, &address) == 1
            || inet_pton(AF_INET6, name, &address) == 1
    }

    /// Goes on with the handshake; true once it is complete.
    func handshake() throws(TLSError) -> Bool {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(handle)
        if result == 1 {
            guard context.application != .http2 || agreedOnHTTP2 else { throw .noHTTP2 }
            isOpen = true
            return true
        }
        switch unsafe SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return false
        default: throw .handshakeFailed(reason: failureReason())
        }
    }

    /// Counts a step of the library's state machine: a message outside the application's data. One
    /// a second is forgiven.
    func noteStep() {
        guard isOpen else { return }
        let now = NIODeadline.now()
        let seconds = (now - stepsCounted).nanoseconds / 1_000_000_000
        if seconds > 0 {
            stepsLeft = Int(min(Int64(Self.stepsAtOnce), Int64(stepsLeft) + seconds))
            stepsCounted = now
        }
        stepsLeft -= 1
        if stepsLeft < 0 { isFlooded = true }
    }

    /// Takes new keys, and asks the peer for new ones.
    func updateKeys() throws(TLSError) {
        ERR_clear_error()
        guard unsafe SSL_key_update(handle, SSL_KEY_UPDATE_REQUESTED) == 1,
            unsafe SSL_do_handshake(handle) == 1
        else { throw .keysNotUpdated(reason: TLSContext.lastReason()) }
    }

    private var agreedOnHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(handle, &name, &count)
        guard let name = unsafe name, count == 2 else { return false }
        return unsafe name[0] == 0x68 && name[1] == 0x32
    }

    private func failureReason() -> String {
        let reason = TLSContext.lastReason()
        let verification = unsafe SSL_get_verify_result(handle)
        guard verification != X509_V_OK,
            let text = unsafe X509_verify_cert_error_string(verification)
        else { return reason }
        return unsafe reason + ": " + String(cString: text)
    }

    /// Takes bytes from the peer.
    func receive(_ bytes: ByteBuffer) {
        guard !isPeerDone else { return }
        if incoming.readableBytes == 0 {
            incoming = bytes
        } else {
            incoming.writeImmutableBuffer(bytes)
        }
    }

    /// Appends decrypted bytes; false where none are there.
    func readPlain(into buffer: inout ByteBuffer) throws(TLSError) -> Bool {
        guard unsafe incoming.readableBytes > 0 || SSL_has_pending(handle) == 1 else {
            // Nor is the storage kept of what was received.
            incoming = ByteBuffer()
            return false
        }
        ERR_clear_error()
        var result: Int32 = 0
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16 << 10) { target in
            let room = Int32(clamping: target.count)
            result = unsafe SSL_read(handle, target.baseAddress, room)
            return max(0, Int(result))
        }
        if result > 0 { return true }
        guard !isFlooded else { throw .flooded }
        switch unsafe SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return false
        case SSL_ERROR_ZERO_RETURN:
            isPeerDone = true
            incoming = ByteBuffer()
            return false
        default: throw .brokenRecord(reason: failureReason())
        }
    }

    /// Encrypts bytes, which must come after a complete handshake.
    func writePlain(_ bytes: ByteBuffer) throws(TLSError) {
        ERR_clear_error()
        // A record holds 16 KiB at most, and costs 22 bytes or less beside them (RFC 8446, 5.2).
        let records = bytes.readableBytes >> 14 + 1
        outgoing.reserveCapacity(minimumWritableBytes: bytes.readableBytes + records * 32)
        let isWritten = unsafe bytes.withUnsafeReadableBytes { buffer -> Bool in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                let rest = Int32(clamping: buffer.count - done)
                let written = unsafe SSL_write(handle, base + done, rest)
                guard written > 0 else { return false }
                done += Int(written)
            }
            return true
        }
        guard isWritten else { throw .brokenRecord(reason: failureReason()) }
    }

    /// How many bytes wait to be sent to the peer.
    var sealedCount: Int { outgoing.readableBytes }

    /// The bytes that wait for the peer.
    func takeSealed() -> ByteBuffer {
        defer { outgoing = ByteBuffer() }
        return outgoing
    }

    /// Says goodbye to the peer.
    func close() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(handle)
    }

    /// The subject of the peer's verified certificate, as in "CN=inference".
    var peerIdentity: String? {
        guard let certificate = unsafe SSL_get1_peer_certificate(handle) else { return nil }
        defer { unsafe X509_free(certificate) }
        guard let text = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(text) }
        let subject = unsafe X509_get_subject_name(certificate)
        guard unsafe hone_name_print(text, subject) >= 0 else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(unsafe hone_bio_pending(text)))
        guard unsafe BIO_read(text, &bytes, Int32(bytes.count)) == bytes.count else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
