import FoundationEssentials

/// The file by which a service that was given port 0 tells where it serves.
public struct ReadyFile: Codable, Sendable, Equatable {
    public var address: String
    /// The HTTP address, where the service has one beside its RPC.
    public var http: String?

    public init(address: String, http: String? = nil) {
        self.address = address
        self.http = http
    }

    /// Writes it in one piece: whoever sees the file sees all of it.
    public func write(to path: String) throws {
        try Data(JSONOutput.text(self).utf8).write(to: URL(filePath: path), options: .atomic)
    }

    /// Reads it, or returns nil while there is none.
    public static func read(from path: String) throws -> ReadyFile? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try JSONDecoder().decode(
            ReadyFile.self, from: Data(contentsOf: URL(filePath: path)))
    }
}
