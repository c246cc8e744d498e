// Process is not in FoundationEssentials.
import Foundation
import Glibc
import ServiceKit

/// A server that is being measured; ends with this object.
final class BenchServer {
    let port: Int
    private let process: Process
    private let input = Pipe()

    var identifier: Int32 { process.processIdentifier }

    /// Starts it and waits until it listens.
    init(
        _ system: BenchSystem, _ keys: BenchFolder.Keys?, _ folder: BenchFolder,
        environment: [String: String] = [:]
    ) throws {
        process = Process()
        let output = Pipe()
        var command = system.tied(to: 0) + system.serve
        let chosen = system.kind == .files ? try Self.freePort() : nil
        if let chosen {
            if keys == nil { command.append("--no-tls") }
            command.append("\(chosen)")
            if let keys { command += [keys.key, keys.certificate] }
        } else if let keys {
            command +=
                system.load?.contains("bench") == true
                ? ["--certificate", keys.certificate, "--key", keys.key]
                : [keys.certificate, keys.key]
        }
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        if let chosen {
            port = chosen
            try Self.waitUntilListening(chosen, process, system.name)
        } else {
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            guard let told = Int(line.filter(\.isNumber)) else {
                process.terminate()
                throw CommandFailure("the server of \(system.name) did not begin to serve")
            }
            port = told
        }
    }

    /// Starts it; one whose port somebody else took meanwhile gets another.
    static func started(
        _ system: BenchSystem, _ keys: BenchFolder.Keys?, _ folder: BenchFolder
    ) throws -> BenchServer {
        for _ in 0..<3 where system.kind == .files {
            if let server = try? BenchServer(system, keys, folder) { return server }
        }
        return try BenchServer(system, keys, folder)
    }

    deinit {
        // It has nothing to lose, and may have been started with gentler signals ignored.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// A port that nobody uses.
    private static func freePort() throws -> Int {
        let used = try ["tcp", "tcp6"].map { table in
            try String(contentsOf: URL(filePath: "/proc/net/" + table), encoding: .utf8)
        }.joined()
        for _ in 0..<100 {
            // Below those that the kernel gives to sockets which connect (32,768 and up).
            let port = Int.random(in: 20_000..<32_768)
            if !used.contains(":" + hexadecimal(port)) { return port }
        }
        throw CommandFailure("no port of 127.0.0.1 is free")
    }

    private static func waitUntilListening(_ port: Int, _ process: Process, _ name: String) throws {
        // proc(5): the local address, the other one, and the state, 0A where it listens.
        let entry = ":\(hexadecimal(port)) 00000000:0000 0A"
        for _ in 0..<500 where process.isRunning {
            let sockets = try String(contentsOf: URL(filePath: "/proc/net/tcp"), encoding: .utf8)
            if sockets.contains(entry) { return }
            usleep(10_000)
        }
        throw CommandFailure("the server of \(name) did not begin to serve")
    }

    private static func hexadecimal(_ port: Int) -> String {
        let digits = String(port, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}

/// What a process has used since it began, from /proc.
struct ServerUsage {
    var processorSeconds: Double
    /// The largest it ever held.
    var residentMegabytes: Double
    /// What it holds now, in units of 1,024 bytes.
    var residentKilobytes: Double

    init(of process: Int32) throws {
        func words(_ file: String) throws -> [Substring] {
            try String(contentsOf: URL(filePath: "/proc/\(process)/\(file)"), encoding: .utf8)
                .split(whereSeparator: \.isWhitespace)
        }
        // proc(5): fields 14 and 15 of stat are the times in user and kernel mode, in hundredths of
        // a second; field 2, the name, has no blank here.
        processorSeconds = try words("stat")[13...14].reduce(0) { $0 + (Double($1) ?? 0) / 100 }
        let status = try words("status")
        func kilobytes(_ name: Substring) -> Double {
            status.firstIndex(of: name).flatMap { Double(status[$0 + 1]) } ?? 0
        }
        residentMegabytes = kilobytes("VmHWM:") / 1_024
        residentKilobytes = kilobytes("VmRSS:")
    }
}
