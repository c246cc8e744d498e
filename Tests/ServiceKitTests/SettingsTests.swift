import ArgumentParser
import FoundationEssentials
import Logging
import RPC
import ServiceKit
import Synchronization
import Testing

@Suite struct `Settings` {
    private func folder() -> String {
        FileManager.default.temporaryDirectory
            .appending(path: "hone-kit-\(UInt64.random(in: 0 ... .max))").path
    }

    @Test func `a flag beats the environment, which beats the default`() throws {
        let environment = HoneEnvironment(["HONE_LISTEN": "127.0.0.1:9000", "HONE_LOG_LEVEL": ""])
        let flags = ["--data-directory", folder()]
        let options = try ServiceOptions.parse(flags + ["--listen", "[::1]:0"])
        let settings = try options.settings(for: .data, environment)
        #expect(settings.listen == ListenAddress(host: "::1", port: 0))
        #expect(settings.logLevel == .info)
        #expect(settings.tls == nil)
        let variable = try ServiceOptions.parse(flags).settings(for: .data, environment)
        #expect(variable.listen.port == 9000)
        let plain = try ServiceOptions.parse(flags).settings(for: .data, HoneEnvironment([:]))
        #expect("\(plain.listen)" == "127.0.0.1:7401")
    }

    @Test func `a wrong setting is refused by name`() throws {
        let flags = ["--data-directory", folder()]
        let environment = HoneEnvironment([:])
        let address = try ServiceOptions.parse(flags + ["--listen", "somewhere"])
        #expect(throws: SettingsError.badAddress(setting: "--listen", value: "somewhere")) {
            try address.settings(for: .data, environment)
        }
        let level = try ServiceOptions.parse(flags + ["--log-level", "loud"])
        #expect(throws: SettingsError.unknownLevel(value: "loud")) {
            try level.settings(for: .data, environment)
        }
        let certificate = try ServiceOptions.parse(flags + ["--tls-certificate", "a.pem"])
        #expect(
            throws: SettingsError.incompleteTLS(
                given: "--tls-certificate", missing: "--tls-key")
        ) {
            try certificate.settings(for: .data, environment)
        }
    }

    @Test func `limits come from flags and variables, and zero lifts them`() throws {
        let flags = ["--data-directory", folder()]
        let environment = HoneEnvironment([
            "HONE_MAXIMUM_CONNECTION_AGE": "60", "HONE_BUFFER_MEMORY": "16",
        ])
        let options = try ServiceOptions.parse(
            flags + [
                "--maximum-concurrent-calls", "0", "--listen-socket", "/tmp/s", "--adaptive-limit",
                "--maximum-connections", "7", "--connection-age-grace", "9", "--drain-limit", "11",
            ])
        let limits = try options.settings(for: .data, environment).limits
        #expect(limits.concurrentCalls == nil)
        #expect(limits.queuedCalls == 256)
        #expect(limits.connectionAge == .seconds(60))
        #expect(limits.bufferBytes == 16 << 20)
        var configuration = ServerConfiguration()
        limits.apply(to: &configuration)
        #expect(configuration.addresses.last == .unix(path: "/tmp/s"))
        #expect(configuration.maximumConnectionAge == .seconds(60))
        #expect(configuration.connectionAgeGrace == .seconds(9))
        #expect(configuration.maximumConnections == 7)
        #expect(configuration.load.adaptive == AdaptiveLimit())
        #expect(limits.drain == .seconds(11))
        let usual = try ServiceOptions.parse(flags).settings(for: .data, HoneEnvironment([:]))
        #expect(usual.limits == ServerLimits())
        let wrong = HoneEnvironment(["HONE_BUFFER_MEMORY": "much"])
        #expect(
            throws: SettingsError.badNumber(
                setting: "--buffer-memory", value: "much", expected: "a whole number from 1")
        ) {
            try ServiceOptions.parse(flags).settings(for: .data, wrong)
        }
    }

    @Test func `other services are found by flag, variable or port`() throws {
        let environment = HoneEnvironment(["HONE_TRAINER_SERVICE": "trainer:7403"])
        let options = try ConnectionOptions.parse(["--data-service", "10.0.0.1:1"])
        #expect(try options.target(of: .data, environment).description == "10.0.0.1:1")
        #expect(try options.target(of: .trainer, environment).description == "trainer:7403")
        #expect(try options.target(of: .evaluator, environment).description == "127.0.0.1:7405")
    }

    @Test func `a ready file says where a service serves`() throws {
        let path = folder()
        #expect(try ReadyFile.read(from: path) == nil)
        let ready = ReadyFile(address: "127.0.0.1:4711")
        try ready.write(to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try ReadyFile.read(from: path) == ready)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text == "{\"address\":\"127.0.0.1:4711\"}")
    }

    @Test func `an event is one line of keys and values`() {
        let lines = Mutex<[String]>([])
        var logger = Logger(label: "test") { _ in
            LineLog(service: "data", level: .info) { line in lines.withLock { $0.append(line) } }
        }
        logger[metadataKey: "call"] = "7"
        logger.info("import ended", metadata: ["rows": "3", "name": "a \"b\"\nc"])
        logger.debug("unseen")
        let text = lines.withLock { $0 }
        #expect(text.count == 1)
        #expect(
            text.first?.hasSuffix(
                " info service=data event=\"import ended\" call=7 name=\"a \\\"b\\\"\\nc\" rows=3\n"
            ) == true)
    }

    @Test func `a progress bar says how far and how long, and stays away from files`() {
        let text = ProgressBar.line("train", 25, 100, "loss 1.2", elapsed: .seconds(60))
        #expect(text == "train ██████░░░░░░░░░░░░░░░░░░ 25 %  25/100  03:00 left  loss 1.2")
        let written = Mutex("")
        let bar = ProgressBar("x", isVisible: false) { text in written.withLock { $0 += text } }
        bar.update(1, of: 2)
        bar.finish()
        #expect(written.withLock { $0.isEmpty })
    }
    @Test func `work that cannot tell how far it is counts its seconds`() async throws {
        let written = Mutex("")
        let bar = ProgressBar("merge", isVisible: true) { text in written.withLock { $0 += text } }
        let patience = ContinuousClock.now + .seconds(120)
        let value = try await bar.counting {
            while written.withLock({ $0.isEmpty }), ContinuousClock.now < patience {
                try await Task.sleep(for: .milliseconds(20))
            }
            return 7
        }
        #expect(value == 7)
        let text = written.withLock { $0 }
        #expect(text.hasPrefix("\r\u{1B}[Kmerge ") && text.hasSuffix(" s\r\u{1B}[K"))
    }
}
