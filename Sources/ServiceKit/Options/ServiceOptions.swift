public import ArgumentParser
import FoundationEssentials
import Glibc
public import Logging
public import RPC
public import TLS

/// The flags of TLS, the same for services and for `hone`.
public struct TLSOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("This side's certificate, PEM.", valueName: "file"))
    public var tlsCertificate: String?
    @Option(help: ArgumentHelp("The key of the certificate, PEM.", valueName: "file"))
    public var tlsKey: String?
    @Option(
        help: ArgumentHelp("Who must have signed the other side's certificate.", valueName: "file"))
    public var tlsAuthority: String?

    public init() {}

    /// The settings the flags and `HONE_TLS_…` describe; nil for plain HTTP/2.
    public func settings(
        _ environment: HoneEnvironment = .process, serving: Bool = false
    ) throws -> TLSSettings? {
        let certificate = tlsCertificate ?? environment["TLS_CERTIFICATE"]
        let key = tlsKey ?? environment["TLS_KEY"]
        let authority = tlsAuthority ?? environment["TLS_AUTHORITY"]
        if certificate == nil, key == nil, authority == nil { return nil }
        if certificate != nil, key == nil {
            throw SettingsError.incompleteTLS(given: "--tls-certificate", missing: "--tls-key")
        }
        if key != nil || serving, certificate == nil {
            throw SettingsError.incompleteTLS(
                given: key != nil ? "--tls-key" : "--tls-authority", missing: "--tls-certificate")
        }
        return try TLSSettings(certificate: certificate, key: key, authority: authority)
    }
}

/// The flags every service has.
public struct ServiceOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("Where to serve; port 0 takes a free one.", valueName: "host:port"))
    public var listen: String?
    @Option(help: ArgumentHelp("Where the service keeps its state.", valueName: "folder"))
    public var dataDirectory: String?
    @Option(
        help: ArgumentHelp(
            "Written once the service serves: {\"address\":\"HOST:PORT\"}.", valueName: "file"))
    public var readyFile: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    public var logLevel: String?
    @OptionGroup(title: "TLS") public var tls: TLSOptions
    @OptionGroup(title: "Limits") public var limits: ServerLimitOptions

    public init() {}

    /// The settings these flags and the environment describe, checked; the data directory exists then.
    public func settings(
        for service: ServiceName, _ environment: HoneEnvironment = .process
    ) throws -> ServiceSettings {
        let address = listen ?? environment["LISTEN"] ?? "127.0.0.1:\(service.port)"
        let level = logLevel ?? environment["LOG_LEVEL"] ?? "info"
        guard let level = Logger.Level(rawValue: level) else {
            throw SettingsError.unknownLevel(value: level)
        }
        let folder =
            dataDirectory ?? environment["DATA_DIRECTORY"]
            ?? FileManager.default.homeDirectoryForCurrentUser
            .appending(path: ".hone/\(service.rawValue)").path
        // A job's input may hold the keys of an endpoint: what a service writes is its user's alone.
        umask(0o077)
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw SettingsError.noFolder(path: folder, reason: "\(error)")
        }
        var settings = ServiceSettings(
            service: service, listen: try ListenAddress(parsing: address), dataDirectory: folder,
            readyFile: readyFile ?? environment["READY_FILE"],
            tls: try tls.settings(environment, serving: true), logLevel: level)
        settings.limits = try limits.limits(environment)
        return settings
    }
}

/// What every service is told once; constant afterwards.
public struct ServiceSettings: Sendable {
    public var service: ServiceName
    public var listen: ListenAddress
    public var dataDirectory: String
    public var readyFile: String?
    /// Nil serves, and calls others, without TLS.
    public var tls: TLSSettings?
    public var logLevel: Logger.Level
    public var limits = ServerLimits()

    public init(
        service: ServiceName, listen: ListenAddress, dataDirectory: String,
        readyFile: String? = nil, tls: TLSSettings? = nil, logLevel: Logger.Level = .info
    ) {
        self.service = service
        self.listen = listen
        self.dataDirectory = dataDirectory
        self.readyFile = readyFile
        self.tls = tls
        self.logLevel = logLevel
    }

    /// A file in the data directory.
    public func path(_ name: String) -> String {
        dataDirectory + "/" + name
    }

    public func logger() -> Logger {
        Logger(label: service.executable) { _ in
            LineLog(service: service.rawValue, level: logLevel)
        }
    }
}

/// The flags that say where the other services are.
public struct ConnectionOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("Where the data service is.", valueName: "host:port"))
    public var dataService: String?
    @Option(help: ArgumentHelp("Where the augmentation service is.", valueName: "host:port"))
    public var augmentationService: String?
    @Option(help: ArgumentHelp("Where the trainer is.", valueName: "host:port"))
    public var trainerService: String?
    @Option(
        help: ArgumentHelp(
            "Where inference is: a name with all its addresses, a list parted by commas, or "
                + "file:PATH with a line for each.",
            valueName: "host:port"))
    public var inferenceService: String?
    @Option(help: ArgumentHelp("Where the evaluator is.", valueName: "host:port"))
    public var evaluatorService: String?
    @Option(help: ArgumentHelp("Where the gateway's RPC is.", valueName: "host:port"))
    public var gatewayService: String?

    public init() {}

    /// Where a service is, by flag, else `HONE_DATA_SERVICE` and so on, else nil.
    public func address(
        of service: ServiceName, _ environment: HoneEnvironment = .process
    ) -> String? {
        let flag =
            switch service {
            case .data: dataService
            case .augmentation: augmentationService
            case .trainer: trainerService
            case .inference: inferenceService
            case .evaluator: evaluatorService
            case .gateway: gatewayService
            case .tutor: String?.none
            }
        return flag ?? environment["\(service.rawValue.uppercased())_SERVICE"]
    }

    /// Where a service is, or its own port on this machine.
    public func target(
        of service: ServiceName, _ environment: HoneEnvironment = .process
    ) throws -> Target {
        try Target(parsing: address(of: service, environment) ?? "127.0.0.1:\(service.port)")
    }
}
