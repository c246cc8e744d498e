import FoundationEssentials

/// The `HONE_…` environment, the only place where a process reads it.
///
/// A setting's value is its flag, else its variable, else its default.
public struct HoneEnvironment: Sendable {
    private let values: [String: String]

    /// The environment of this process.
    public static let process = HoneEnvironment(ProcessInfo.processInfo.environment)

    public init(_ values: [String: String]) {
        self.values = values
    }

    /// A variable's value; an empty one counts as unset.
    ///
    /// - Parameter name: without its beginning: `LISTEN` reads `HONE_LISTEN`.
    public subscript(_ name: String) -> String? {
        values["HONE_" + name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The value of a variable that other programs share, by its full name, such as `OPENAI_API_KEY`.
    public func foreign(_ name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// What is wrong with the settings of a process.
public enum SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    case badAddress(setting: String, value: String)
    case badNumber(setting: String, value: String, expected: String)
    case badURL(setting: String, value: String)
    case unknownLevel(value: String)
    case incompleteTLS(given: String, missing: String)
    case noService(name: String, flag: String)
    case noFolder(path: String, reason: String)

    public var description: String {
        switch self {
        case .badAddress(let setting, let value):
            "\(setting) is \"\(value)\"; write HOST:PORT, for example 127.0.0.1:7401"
        case .badNumber(let setting, let value, let expected):
            "\(setting) is \"\(value)\"; write \(expected)"
        case .badURL(let setting, let value):
            "\(setting) is \"\(value)\"; write http://HOST:PORT/PATH"
        case .unknownLevel(let value):
            "--log-level is \"\(value)\"; write trace, debug, info, notice, warning, error or critical"
        case .incompleteTLS(let given, let missing):
            "\(given) is given without \(missing); give both, or neither for no TLS"
        case .noService(let name, let flag):
            "the address of the \(name) service is not known; give \(flag) HOST:PORT"
        case .noFolder(let path, let reason):
            "the data directory \(path) cannot be made: \(reason)"
        }
    }
}

/// A host and a port, as `--listen` has them.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:7401` or `[::1]:7401`.
    public init(parsing text: String, setting: String = "--listen") throws {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = UInt16(text[text.index(after: colon)...])
        else { throw SettingsError.badAddress(setting: setting, value: text) }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.init(host: host, port: Int(port))
    }

    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// The services, by the names their folders, flags and executables bear.
public enum ServiceName: String, Sendable, CaseIterable {
    case data, augmentation, trainer, inference, evaluator, gateway, tutor

    public var port: Int {
        switch self {
        case .data: 7401
        case .augmentation: 7402
        case .trainer: 7403
        case .inference: 7404
        case .evaluator: 7405
        case .gateway: 7406
        case .tutor: 7410
        }
    }

    public var executable: String { "hone-" + rawValue }
    /// The flag that tells another process where this service is.
    public var flag: String { "--\(rawValue)-service" }
}
