// Process is not in FoundationEssentials.
import Foundation
import ServiceKit

/// A folder for what a benchmark makes: programs, keys and bodies. Gone at the end.
struct BenchFolder {
    struct Keys {
        var certificate: String
        var key: String
    }

    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/hone-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    func remove() {
        // What cannot be removed from the temporary folder is left to the system.
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
        return path + "/" + name
    }

    /// A certificate of its own for localhost and 127.0.0.1; nil where there is no openssl.
    func makeCertificate() throws -> Keys? {
        let keys = Keys(certificate: path + "/certificate.pem", key: path + "/key.pem")
        guard let openssl = BenchTool.path(of: "openssl") else { return nil }
        _ = try BenchTool.run(
            openssl,
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", keys.key, "-out",
                keys.certificate,
            ])
        return keys
    }
}

/// Programs that are run to their end.
enum BenchTool {
    /// Where a program lies; nil where it is not installed.
    static func path(of name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        for folder in folders + ["/usr/sbin", "/usr/local/sbin"] {
            let path = folder + "/" + name
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        return nil
    }

    /// What a program prints, errors among it; told where it fails.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailure(
                "\(program) ended with status \(process.terminationStatus): \(text.suffix(400))")
        }
        return text
    }
}
