import FoundationEssentials
import TestKit
import Testing

/// Services as processes of their own, over TLS.
@Suite(
    .enabled(if: Executable.path(of: "hone-data") != nil, "the services were not built"),
    .timeLimit(.minutes(5)))
struct SecureServiceTests {
    static let curl = "/usr/bin/curl"
    static var hasCurl: Bool { Executable.isThere(curl) }

    private func flags(_ files: Certificates, _ name: String?) -> [String] {
        let own = name.map {
            ["--tls-certificate", files.path("\($0).pem"), "--tls-key", files.path("\($0).key")]
        }
        return (own ?? []) + ["--tls-authority", files.path("authority.pem")]
    }

    @Test func `a service with an authority answers its own and turns others away`() async throws {
        let (files, folder) = (try Certificates(), try TemporaryFolder())
        let data = try await ServiceProcess("hone-data", in: folder, flags(files, "server"))
        let verb = ["data", "list", "--data-service", data.address]
        let right = try await Executable.run("hone", verb + flags(files, "client"))
        #expect(right.status == 0, "\(right.errors)")
        let missing = try await Executable.run("hone", verb + flags(files, nil))
        #expect(missing.status == 1)
        #expect(missing.errors.contains("asks for a certificate"), "\(missing.errors)")
        let stranger = try await Executable.run("hone", verb + flags(files, "stranger"))
        #expect(stranger.status == 1)
        #expect(stranger.errors.contains("does not trust our certificate"), "\(stranger.errors)")
        let plain = try await Executable.run("hone", verb)
        #expect(plain.status == 1)
        let distrusting = try await Executable.run(
            "hone", verb + ["--tls-authority", files.path("stranger-authority.pem")])
        #expect(distrusting.status == 1)
        #expect(
            distrusting.errors.contains("certificate verify failed"), "\(distrusting.errors)")
        let health = try await Executable.run(
            "hone",
            ["health", data.address, "--service", "hone.Data", "--timeout", "300"]
                + flags(files, "client"))
        #expect(health.status == 0, "\(health.errors)")
        #expect(data.end() == 0)
    }

    @Test(.enabled(if: hasCurl, "curl is not there"))
    func `the tutor speaks HTTPS`() async throws {
        let (files, folder) = (try Certificates(), try TemporaryFolder())
        let tutor = try await ServiceProcess("hone-tutor", in: folder, flags(files, "server"))
        let http = try #require(tutor.http)
        #expect(http == "https://\(tutor.address)")
        try await expectHTTPS(http, files)
        let models = try await Executable.run(
            Self.curl, ["--silent", "--cacert", files.path("authority.pem"), http + "/v1/models"])
        #expect(models.text.contains("tutor"), "\(models.text)")
        #expect(tutor.end() == 0)
    }

    @Test(.enabled(if: hasCurl, "curl is not there"))
    func `HTTPS takes a new certificate without a restart`() async throws {
        let (files, folder) = (try Certificates(), try TemporaryFolder())
        let tutor = try await ServiceProcess("hone-tutor", in: folder, flags(files, "server"))
        let port = try #require(tutor.address.split(separator: ":").last)
        /// Whether the certificate bears this name now.
        func bears(_ name: String) async throws -> Bool {
            let answer = try await Executable.run(
                Self.curl,
                [
                    "--silent", "--cacert", files.path("authority.pem"), "--resolve",
                    "\(name):\(port):127.0.0.1", "https://\(name):\(port)/healthz",
                ])
            return answer.status == 0
        }
        #expect(try await bears("localhost"))
        #expect(try await !bears("elsewhere.test"))
        for ending in ["pem", "key"] {
            let bytes = try Data(contentsOf: URL(filePath: files.path("elsewhere.\(ending)")))
            try bytes.write(to: URL(filePath: files.path("server.\(ending)")), options: .atomic)
        }
        while try await !bears("elsewhere.test") { try await Task.sleep(for: .milliseconds(200)) }
        #expect(try await !bears("localhost"))
        #expect(tutor.end() == 0)
    }

    @Test(.enabled(if: hasCurl, "curl is not there"))
    func `the gateway speaks HTTPS to its callers`() async throws {
        let (files, folder) = (try Certificates(), try TemporaryFolder())
        let gateway = try await ServiceProcess(
            "hone-gateway", in: folder,
            ["--http-listen", "127.0.0.1:0"] + flags(files, "server"))
        let http = try #require(gateway.http)
        #expect(http.hasPrefix("https://127.0.0.1:"))
        try await expectHTTPS(http, files)
        let page = try await Executable.run(
            Self.curl, ["--silent", "--cacert", files.path("authority.pem"), http + "/"])
        #expect(page.text.contains("<html"), "\(page.text.prefix(200))")
        #expect(gateway.end() == 0)
    }

    /// Callers who trust the authority are answered, others are not; nobody is answered in plain.
    private func expectHTTPS(_ http: String, _ files: Certificates) async throws {
        let url = http + "/healthz"
        let trusting = try await Executable.run(
            Self.curl, ["--silent", "--show-error", "--cacert", files.path("authority.pem"), url])
        #expect(trusting.status == 0, "\(trusting.errors)")
        let distrusting = try await Executable.run(Self.curl, ["--silent", "--show-error", url])
        #expect(distrusting.status == 60, "\(distrusting.errors)")
        let plain = try await Executable.run(
            Self.curl, ["--silent", "http" + url.dropFirst("https".count)])
        #expect(plain.status != 0)
        let health = try await Executable.run(
            "hone",
            ["health", "--http", url, "--timeout", "300", "--tls-authority"]
                + [files.path("authority.pem")])
        #expect(health.status == 0, "\(health.errors)")
        let stranger = try await Executable.run(
            "hone",
            ["health", "--http", url, "--timeout", "300", "--tls-authority"]
                + [files.path("stranger-authority.pem")])
        #expect(stranger.status == 1)
        #expect(stranger.errors.contains("certificate verify failed"), "\(stranger.errors)")
    }
}
