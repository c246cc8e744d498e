/// The PEM files a server or a client takes its identity and its trust from.
public struct TLSSettings: Sendable, Equatable {
    /// Our certificate, followed by those between it and an authority; nil for a client that
    /// shows none.
    public let certificate: String?
    /// The private key of our certificate.
    public let key: String?
    /// The authorities we trust. On a server it makes a client certificate required; on a client
    /// nil trusts those of the system.
    public let authority: String?

    /// Reads and checks the files.
    public init(
        certificate: String? = nil, key: String? = nil, authority: String? = nil
    ) throws(TLSError) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
        _ = try TLSContext(.client, self)
    }
}
