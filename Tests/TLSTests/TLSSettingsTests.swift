import TLS
import TestKit
import Testing

/// Files that cannot serve are named, with what to do.
struct TLSSettingsTests {
    @Test func `files that fit are taken`() throws {
        let files = try Certificates()
        _ = try TLSContext(.server, files.settings("server", authority: "authority"))
        _ = try TLSContext(.client, files.settings(nil, authority: "authority"))
        _ = try TLSContext(.client, TLSSettings())
    }

    @Test func `a missing file is named`() throws {
        let error = #expect(throws: TLSError.self) {
            try TLSSettings(certificate: "/nowhere/a.pem", key: "/nowhere/a.key")
        }
        #expect(error?.description == "cannot read /nowhere/a.pem: No such file or directory")
    }

    @Test func `a file of another kind is named`() throws {
        let files = try Certificates()
        let (key, certificate) = (files.path("server.key"), files.path("server.pem"))
        let swapped = #expect(throws: TLSError.self) {
            try TLSSettings(certificate: key, key: certificate)
        }
        #expect(swapped?.description.contains("\(key) holds no PEM certificate") == true)
        let noKey = #expect(throws: TLSError.self) {
            try TLSSettings(certificate: certificate, key: certificate)
        }
        #expect(noKey?.description.contains("\(certificate) holds no PEM private key") == true)
        let noAuthority = #expect(throws: TLSError.self) { try TLSSettings(authority: key) }
        #expect(noAuthority?.description.contains(key) == true)
    }

    @Test func `a key of another certificate is refused`() throws {
        let files = try Certificates()
        let (key, certificate) = (files.path("client.key"), files.path("server.pem"))
        #expect(throws: TLSError.keyDoesNotMatch(key: key, certificate: certificate)) {
            try TLSSettings(certificate: certificate, key: key)
        }
    }

    @Test func `a certificate without key, a key without certificate, a server without both`()
        throws
    {
        let files = try Certificates()
        #expect(throws: TLSError.keyMissing(certificate: files.path("server.pem"))) {
            try TLSSettings(certificate: files.path("server.pem"))
        }
        #expect(throws: TLSError.certificateMissing(key: files.path("server.key"))) {
            try TLSSettings(key: files.path("server.key"))
        }
        let settings = try files.settings(nil, authority: "authority")
        #expect(throws: TLSError.serverWithoutCertificate) { try TLSContext(.server, settings) }
    }
}
