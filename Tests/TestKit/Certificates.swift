public import Foundation

/// An authority, a server, a client and a stranger, made anew by the `openssl` command.
public final class Certificates: Sendable {
    public let folder: URL

    /// - Throws: where `openssl` is missing or fails.
    public init() throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "hone-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try authority("authority")
        try authority("stranger-authority")
        try leaf("server", "server.test", by: "authority", names: "DNS:localhost,IP:127.0.0.1")
        try leaf("elsewhere", "elsewhere", by: "authority", names: "DNS:elsewhere.test")
        try leaf("client", "alice", by: "authority", names: "DNS:alice")
        try leaf("stranger", "mallory", by: "stranger-authority", names: "DNS:mallory")
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            print("left behind: \(folder.path): \(error)")
        }
    }

    /// A file, such as `server.pem` or `server.key`.
    public func path(_ name: String) -> String { folder.appending(path: name).path }

    private func authority(_ name: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=\(name)", "-keyout", path("\(name).key"),
            "-out", path("\(name).pem"))
    }

    private func leaf(
        _ name: String, _ subject: String, by authority: String, names: String
    ) throws {
        try openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=\(subject)", "-keyout", path("\(name).key"), "-out", path("\(name).csr"))
        let extensions = path("\(name).ext")
        try Data("subjectAltName=\(names)\n".utf8).write(to: URL(filePath: extensions))
        try openssl(
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(authority).pem"),
            "-CAkey", path("\(authority).key"), "-CAcreateserial", "-days", "2",
            "-extfile", extensions, "-out", path("\(name).pem"))
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(arguments: arguments, status: process.terminationStatus)
        }
    }

    public struct Failure: Error {
        public let arguments: [String]
        public let status: Int32
    }
}
