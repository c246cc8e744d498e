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
            try Self.waitUntilListening(chosen, system.name)
        } else {
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            guard let told = Int(line.filter(\.isNumber)) else {
                process.terminate()
                throw CommandFailure("the server of \(system.name) did not begin to serve")
            }
            port = told
        }
    }

    deinit {
        // It has nothing to lose, and may have been started with gentler signals ignored.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// A port that nobody listens on.
    private static func freePort() throws -> Int {
        let descriptor = try boundSocket(to: 0)
        defer { close(descriptor) }
        return try localPort(descriptor)
    }

    private static func boundSocket(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(port)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, result == 0 else {
            throw CommandFailure("no port of 127.0.0.1 is free")
        }
        return descriptor
    }

    private static func localPort(_ descriptor: Int32) throws -> Int {
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        guard result == 0 else { throw CommandFailure("no port of 127.0.0.1 is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func waitUntilListening(_ port: Int, _ name: String) throws {
        for _ in 0..<500 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = loopback(port)
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if result == 0 { return }
            usleep(10_000)
        }
        throw CommandFailure("the server of \(name) did not begin to serve")
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
