import ArgumentParser
import Drills
import ServiceKit

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve /v1/models and /v1/chat/completions.",
        discussion: """
            Failures can be asked for, to test what calls the tutor: by flag for every n-th request, \
            by the header x-tutor-fail, or by the model's name.

            Example:
              hone-tutor serve --listen 127.0.0.1:7410 --fail-429-every 10 --retry-after 0.5
            """)

    @OptionGroup var service: ServiceOptions
    @Option(help: "The base of the numbers in add drills, 2 to 10.") var base = 10
    @OptionGroup(title: "Failures") var failures: FailureOptions

    func run() async throws {
        let settings = try service.settings(for: .tutor)
        guard (2...10).contains(base) else {
            throw DrillError.setting(name: "base", value: base, expected: "2 to 10")
        }
        let failures = FailurePlan(try failures.settings())
        let desk = TutorDesk(tutor: Tutor(base: base), failures: failures)
        var host = ServiceHost(settings)
        let server = TutorServer(
            desk: desk, listen: settings.listen, logger: host.logger, tls: settings.tls)
        let scheme = settings.tls == nil ? "http" : "https"
        host.add("http", service: server)
        host.beforeReady { ready in
            ready.address = "\(await server.address())"
            ready.http = "\(scheme)://\(ready.address)"
        }
        try await host.run()
    }
}

/// The flags that make the tutor fail.
struct FailureOptions: ParsableArguments {
    @Option(name: .customLong("fail-429-every"), help: "Answer every n-th request with 429.")
    var fail429Every: Int?
    @Option(name: .customLong("fail-500-every"), help: "Answer every n-th request with 500.")
    var fail500Every: Int?
    @Option(name: .customLong("fail-cut-every"), help: "Cut every n-th reply in the middle.")
    var failCutEvery: Int?
    @Option(name: .customLong("fail-slow-every"), help: "Answer every n-th request late.")
    var failSlowEvery: Int?
    @Option(help: "Seconds a 429 asks to wait.") var retryAfter = 1.0
    @Option(help: "How late a slow reply comes.") var slowMilliseconds = 1_000
    @Flag(help: "Keep a hash of every request, so that /tutor/statistics tells repeated ones.")
    var countRepeats = false

    func settings() throws -> FailurePlan.Settings {
        var settings = FailurePlan.Settings()
        settings.retryAfterSeconds = retryAfter
        settings.slowMilliseconds = slowMilliseconds
        settings.countsRepeats = countRepeats
        let flags: [(Failure.Kind, String, Int?)] = [
            (.tooMany, "--fail-429-every", fail429Every),
            (.serverError, "--fail-500-every", fail500Every),
            (.cut, "--fail-cut-every", failCutEvery), (.slow, "--fail-slow-every", failSlowEvery),
        ]
        for (kind, flag, value) in flags {
            guard let value else { continue }
            guard value > 0 else {
                throw SettingsError.badNumber(
                    setting: flag, value: "\(value)", expected: "a number above 0")
            }
            settings.every[kind] = value
        }
        guard retryAfter >= 0, retryAfter <= 3_600 else {
            throw SettingsError.badNumber(
                setting: "--retry-after", value: "\(retryAfter)", expected: "0 to 3600 seconds")
        }
        guard (0...600_000).contains(slowMilliseconds) else {
            throw SettingsError.badNumber(
                setting: "--slow-milliseconds", value: "\(slowMilliseconds)",
                expected: "0 to 600000")
        }
        return settings
    }
}
