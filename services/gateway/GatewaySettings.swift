package import ArgumentParser
import RPC
package import Schema
package import ServiceKit
import Wire

/// The flags only the gateway has.
package struct GatewayOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp("Where to serve HTTP; port 0 takes a free one.", valueName: "host:port"))
    package var httpListen: String?
    @Option(
        help: ArgumentHelp(
            "A file of API keys, one a line; without it /v1 is open.", valueName: "file"))
    package var apiKeysFile: String?
    @Option(help: "Revisions of requests that do not say: off, autonomous or enforced.")
    package var revisionMode: String?
    @Option(help: "At most so many revisions, for requests that do not say.")
    package var maximumRevisions: String?

    package init() {}

    /// The settings these flags and the environment describe, checked.
    package func settings(
        _ environment: HoneEnvironment = .process
    ) throws -> GatewaySettings {
        let address = httpListen ?? environment["HTTP_LISTEN"] ?? "127.0.0.1:7400"
        let mode = revisionMode ?? environment["REVISION_MODE"] ?? "autonomous"
        guard let mode = RevisionMode(name: mode) else {
            throw SettingsError.badNumber(
                setting: "--revision-mode", value: mode, expected: "off, autonomous or enforced")
        }
        let maximum = maximumRevisions ?? environment["MAXIMUM_REVISIONS"] ?? "3"
        guard let maximum = Int(maximum), (0...100).contains(maximum) else {
            throw SettingsError.badNumber(
                setting: "--maximum-revisions", value: maximum, expected: "a number of 0 to 100")
        }
        let file = apiKeysFile ?? environment["API_KEYS_FILE"]
        return GatewaySettings(
            http: try ListenAddress(parsing: address, setting: "--http-listen"),
            keys: try file.map(APIKeys.init(file:)) ?? .none,
            usual: RevisionPolicy.with {
                $0.mode = mode
                $0.minimum = mode == .enforced ? maximum : 0
                $0.maximum = maximum
            })
    }
}

/// What the gateway is told once, beside what every service is told.
package struct GatewaySettings: Sendable {
    package var http: ListenAddress
    package var keys: APIKeys
    /// The revisions of requests that do not say.
    package var usual: RevisionPolicy
}
