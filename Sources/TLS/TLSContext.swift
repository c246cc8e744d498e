import COpenSSL
import Glibc

/// What all connections of a server or a client share: certificate, key, trust and rules.
///
/// Sendable because the library allows connections to be made from one context on any thread, and
/// nothing changes the context after `init`.
@safe public final class TLSContext: @unchecked Sendable {
    public enum Role: Sendable { case client, server }

    /// What is spoken over TLS, as the handshake names it (ALPN).
    public enum Application: Sendable {
        /// HTTP/2: both sides must name it.
        case http2
        /// HTTP/1.1: named where the other side names anything.
        case http1

        var name: [UInt8] {
            switch self {
            case .http2: Array("h2".utf8)
            case .http1: Array("http/1.1".utf8)
            }
        }
    }

    /// Shorter keys first: they are as safe for the life of a connection, and a quarter cheaper. A
    /// client that puts ChaCha20 first, having no instructions for AES, gets that.
    private static let suites =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    private static let ciphers = "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20"

    let role: Role
    let application: Application
    let handle: OpaquePointer

    /// Reads the files of `settings`.
    public init(
        _ role: Role, _ settings: TLSSettings, carrying application: Application = .http2
    ) throws(TLSError) {
        if role == .server, settings.certificate == nil { throw .serverWithoutCertificate }
        let method = unsafe role == .server ? TLS_server_method() : TLS_client_method()
        guard let handle = unsafe SSL_CTX_new(method) else {
            throw .setupFailed(reason: Self.lastReason())
        }
        self.role = role
        self.application = application
        unsafe self.handle = handle
        // HTTP/2 forbids the older cipher suites of TLS 1.2 (RFC 9113, appendix A).
        guard unsafe hone_ssl_ctx_harden(handle) == 1,
            unsafe SSL_CTX_set_cipher_list(handle, Self.ciphers) == 1,
            unsafe SSL_CTX_set_ciphersuites(handle, Self.suites) == 1,
            unsafe SSL_CTX_set_num_tickets(handle, 0) == 1
        else { throw .setupFailed(reason: Self.lastReason()) }
        unsafe SSL_CTX_set_info_callback(handle) { connection, place, _ in
            guard place == SSL_CB_ACCEPT_LOOP || place == SSL_CB_CONNECT_LOOP else { return }
            unsafe EngineBIO.engine(ofConnection: connection)?.noteStep()
        }
        try useIdentity(settings)
        try useAuthority(settings.authority)
        guard role == .server else { return }
        switch application {
        case .http2: unsafe SSL_CTX_set_alpn_select_cb(handle, selectHTTP2, nil)
        case .http1: unsafe SSL_CTX_set_alpn_select_cb(handle, selectHTTP1, nil)
        }
    }

    deinit { unsafe SSL_CTX_free(handle) }

    private func useIdentity(_ settings: TLSSettings) throws(TLSError) {
        guard let certificate = settings.certificate else {
            if let key = settings.key { throw .certificateMissing(key: key) }
            return
        }
        guard let key = settings.key else { throw .keyMissing(certificate: certificate) }
        try Self.checkReadable(certificate)
        try Self.checkReadable(key)
        ERR_clear_error()
        guard unsafe SSL_CTX_use_certificate_chain_file(handle, certificate) == 1 else {
            throw .notACertificate(path: certificate, reason: Self.lastReason())
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(handle, key, SSL_FILETYPE_PEM) == 1 else {
            let reason = Self.lastReason()
            if reason.contains("mismatch") {
                throw .keyDoesNotMatch(key: key, certificate: certificate)
            }
            throw .notAKey(path: key, reason: reason)
        }
        guard unsafe SSL_CTX_check_private_key(handle) == 1 else {
            throw .keyDoesNotMatch(key: key, certificate: certificate)
        }
    }

    private func useAuthority(_ authority: String?) throws(TLSError) {
        if let authority {
            try Self.checkReadable(authority)
            ERR_clear_error()
            guard unsafe SSL_CTX_load_verify_file(handle, authority) == 1 else {
                throw .notAnAuthority(path: authority, reason: Self.lastReason())
            }
        } else if role == .client {
            guard unsafe SSL_CTX_set_default_verify_paths(handle) == 1 else {
                throw .setupFailed(reason: Self.lastReason())
            }
        }
        switch role {
        case .client: unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nil)
        case .server:
            guard let authority else { return }
            unsafe SSL_CTX_set_verify(
                handle, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
            // The names tell clients which of their certificates to show; the context owns them.
            unsafe SSL_CTX_set_client_CA_list(handle, SSL_load_client_CA_file(authority))
        }
    }

    private static func checkReadable(_ path: String) throws(TLSError) {
        guard unsafe access(path, R_OK) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw .unreadable(path: path, reason: reason)
        }
    }

    /// The oldest entry of this thread's error queue, which is then emptied.
    static func lastReason() -> String {
        let code = ERR_get_error()
        defer { ERR_clear_error() }
        guard code != 0 else { return "no reason given" }
        guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

/// Agrees on "h2" where the client offers it, and refuses the connection where it does not.
private let selectHTTP2: SSL_CTX_alpn_select_cb_func = {
    _, selected, selectedCount, offered, offeredCount, _ in
    unsafe select(.http2, selected, selectedCount, offered, offeredCount)
}

private let selectHTTP1: SSL_CTX_alpn_select_cb_func = {
    _, selected, selectedCount, offered, offeredCount, _ in
    unsafe select(.http1, selected, selectedCount, offered, offeredCount)
}

private func select(
    _ application: TLSContext.Application, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ selectedCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredCount: UInt32
) -> Int32 {
    guard let offered = unsafe offered, let selected = unsafe selected,
        let selectedCount = unsafe selectedCount
    else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let names = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    let wanted = application.name
    var start = 0
    // Each name is a length and so many bytes; the library checked that they fit.
    while start < names.count {
        let length = unsafe Int(names[start])
        guard start + 1 + length <= names.count else { break }
        let name = unsafe names[(start + 1)..<(start + 1 + length)]
        if unsafe name.elementsEqual(wanted) {
            unsafe selected.pointee = offered + start + 1
            unsafe selectedCount.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        start += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
