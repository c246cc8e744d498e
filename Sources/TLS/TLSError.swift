/// Why TLS could not be set up, or a connection not be made.
public enum TLSError: Error, Equatable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case notACertificate(path: String, reason: String)
    case notAKey(path: String, reason: String)
    case keyDoesNotMatch(key: String, certificate: String)
    case keyMissing(certificate: String)
    case certificateMissing(key: String)
    case notAnAuthority(path: String, reason: String)
    case serverWithoutCertificate
    case setupFailed(reason: String)
    /// The two sides did not come to terms; `reason` is the library's or the peer's.
    case handshakeFailed(reason: String)
    /// The peer does not speak HTTP/2 over TLS.
    case noHTTP2
    case closedDuringHandshake
    /// A record could not be read after the handshake.
    case brokenRecord(reason: String)
    /// The peer goes on sending messages that belong to no application's data, such as KeyUpdate.
    case flooded
    /// The connection's version of TLS has no new keys, or it is over.
    case keysNotUpdated(reason: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .notACertificate(let path, let reason):
            "\(path) holds no PEM certificate (\(reason)); give a file with BEGIN CERTIFICATE"
        case .notAKey(let path, let reason):
            "\(path) holds no PEM private key (\(reason)); give a file with BEGIN PRIVATE KEY"
        case .keyDoesNotMatch(let key, let certificate):
            "the key in \(key) is not that of the certificate in \(certificate)"
        case .keyMissing(let certificate):
            "the certificate in \(certificate) needs its private key; name the key's file, too"
        case .certificateMissing(let key):
            "the key in \(key) needs its certificate; name the certificate's file, too"
        case .notAnAuthority(let path, let reason):
            "\(path) holds no PEM certificates of authorities (\(reason))"
        case .serverWithoutCertificate:
            "a server needs a certificate and a key for TLS; name both files"
        case .setupFailed(let reason): "TLS could not be set up: \(reason)"
        case .handshakeFailed(let reason):
            "TLS handshake failed: \(reason)\(Self.advice(on: reason))"
        case .noHTTP2:
            "the peer did not agree on HTTP/2 (ALPN \"h2\"); check that it serves gRPC over TLS"
        case .closedDuringHandshake:
            "the connection was closed during the TLS handshake; check that the peer speaks TLS"
        case .brokenRecord(let reason):
            "the TLS connection broke: \(reason)\(Self.advice(on: reason))"
        case .flooded: "the peer sends TLS messages without end that carry no data"
        case .keysNotUpdated(let reason): "TLS keys cannot be changed: \(reason)"
        }
    }

    /// What to do about an alert of the peer, or about its certificate.
    private static func advice(on reason: String) -> String {
        if reason.contains("alert certificate required") {
            return "; the peer asks for a certificate: name ours and its key"
        }
        let distrust = ["unknown ca", "bad certificate", "certificate unknown"]
        if distrust.contains(where: { reason.contains("alert " + $0) }) {
            return "; the peer does not trust our certificate: one of its authority must sign it"
        }
        if reason.contains("alert certificate expired") {
            return "; our certificate has expired: renew it"
        }
        guard reason.contains("certificate verify failed") else { return "" }
        return "; the certificate is the peer's: is the right authority named?"
    }
}
