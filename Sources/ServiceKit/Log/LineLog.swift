import FoundationEssentials
public import Logging

/// Writes one line an event, `key=value`, to standard error.
///
/// ```
/// 2026-01-02T03:04:05.678Z info service=data event=serving address=127.0.0.1:7401
/// ```
public struct LineLog: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let service: String
    private let write: @Sendable (String) -> Void

    public init(
        service: String, level: Logger.Level,
        write: @escaping @Sendable (String) -> Void = { StandardError.write($0) }
    ) {
        self.service = service
        logLevel = level
        self.write = write
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        line += " \(event.level) service=\(service) event=\(Self.quoted("\(event.message)"))"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.quoted("\(value)"))"
        }
        if let error = event.error { line += " error=\(Self.quoted("\(error)"))" }
        write(line + "\n")
    }

    /// A value that has spaces, quotes or line ends is quoted, so that a line stays a line.
    static func quoted(_ value: String) -> String {
        let plain = value.unicodeScalars.allSatisfy { $0 > " " && $0 != "\"" && $0 != "=" }
        if plain, !value.isEmpty { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
