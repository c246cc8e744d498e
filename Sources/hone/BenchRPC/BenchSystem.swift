// Process is not in FoundationEssentials.
import Foundation
import ServiceKit

/// One runtime: how its server and its client are started.
struct BenchSystem {
    enum Kind {
        /// Answers the benchmark's methods.
        case calls
        /// Answers with files; a port must be given to it.
        case files
    }

    var name: String
    var kind: Kind
    var serve: [String]
    /// Nil has no client of its own.
    var load: [String]?
    /// Whether server and client are tied to a core each, which is not always faster.
    var isTied = false

    /// Ours, out of this executable.
    static func ours(handlers: String) throws -> BenchSystem {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return BenchSystem(
            name: "Hone", kind: .calls,
            serve: [program, "bench", "rpc", "serve", "--placement", handlers],
            load: [program, "bench", "rpc", "load"])
    }

    /// The ways to lay server and client on this machine's cores.
    var placements: [BenchSystem] {
        guard BenchTool.path(of: "taskset") != nil, ProcessInfo.processInfo.processorCount > 1
        else { return [self] }
        var tied = self
        tied.isTied = true
        return [self, tied]
    }

    /// Everything: its own client against its server, and h2load.
    func measure(
        _ seconds: Double, _ keys: BenchFolder.Keys?, _ folder: BenchFolder
    ) throws -> [BenchRow] {
        let server = try BenchServer.started(self, keys, folder)
        var rows: [BenchRow] = []
        if load != nil { rows += try ownClient(seconds, server, keys) }
        for (body, inFlight) in [
            (BenchBody.small, 1), (.small, 16), (.small, 64), (.large, 16), (.answer, 16),
        ] where kind == .calls || body != .large {
            if let row = try h2load(body, inFlight, seconds, server, keys, folder) {
                rows.append(row)
            }
        }
        return rows
    }

    private func ownClient(
        _ seconds: Double, _ server: BenchServer, _ keys: BenchFolder.Keys?
    ) throws -> [BenchRow] {
        var rows: [BenchRow] = []
        var before = try ServerUsage(of: server.identifier)
        try clientLines(seconds, server, keys) { line in
            let after = try ServerUsage(of: server.identifier)
            rows.append(
                BenchRow(
                    system: name, client: "its own", tls: keys != nil, isTied: isTied, line: line,
                    serverSeconds: after.processorSeconds - before.processorSeconds,
                    serverMegabytes: after.residentMegabytes))
            before = after
        }
        return rows
    }

    private func clientLines(
        _ seconds: Double, _ server: BenchServer, _ keys: BenchFolder.Keys?,
        _ body: (BenchLine) throws -> Void
    ) throws {
        guard let load else { return }
        let client = Process()
        let command =
            tied(to: 1) + load + ["\(server.port)", "\(seconds)"]
            + (keys.map { [$0.certificate] } ?? [])
        client.executableURL = URL(filePath: command[0])
        client.arguments = Array(command.dropFirst())
        client.standardInput = FileHandle.nullDevice
        let output = Pipe()
        client.standardOutput = output
        try client.run()
        defer { client.waitUntilExit() }
        var rest = Data()
        while true {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            rest += data
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                try body(JSONDecoder().decode(BenchLine.self, from: rest[..<end]))
                rest = Data(rest[(end + 1)...])
            }
        }
        client.waitUntilExit()
        guard client.terminationStatus == 0 else {
            throw CommandFailure("the client of \(name) failed; its errors stand above")
        }
    }

    func tied(to core: Int) -> [String] {
        guard isTied, let taskset = BenchTool.path(of: "taskset") else { return [] }
        return [taskset, "-c", "\(core)"]
    }
}

/// What h2load sends, and gets back.
enum BenchBody {
    case small, large
    /// A small request for a large answer; all that a server of files can give.
    case answer

    var requestBytes: Int { self == .large ? 65_536 : 100 }
    var answerBytes: Int { self == .small ? 100 : 65_536 }

    var name: String {
        switch self {
        case .small: "unary 100 B"
        case .large: "unary 64 KiB"
        case .answer: "100 B for 64 KiB"
        }
    }
}

extension BenchSystem {
    /// One shape of load by h2load; nil where that is not installed.
    func h2load(
        _ body: BenchBody, _ inFlight: Int, _ seconds: Double, _ server: BenchServer,
        _ keys: BenchFolder.Keys?, _ folder: BenchFolder
    ) throws -> BenchRow? {
        guard let program = BenchTool.path(of: "h2load") else { return nil }
        var arguments = ["-c", "1", "-m", "\(inFlight)", "-D", "\(Int(seconds * 1_000))ms"]
        var path = body == .answer ? "/hone.Benchmark/Fetch" : "/hone.Benchmark/Echo"
        switch kind {
        case .calls:
            let count = body.requestBytes
            let length = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
            let message = [0] + length + [UInt8](repeating: 0x5A, count: count)
            arguments += [
                "-d", try folder.write(message, "body-\(count)"),
                "-H", "te: trailers", "-H", "content-type: application/grpc",
            ]
        case .files:
            let content = [UInt8](repeating: 0x5A, count: body.answerBytes)
            _ = try folder.write(content, "file-\(content.count)")
            path = "/file-\(content.count)"
        }
        // The windows of both sides must not be what is measured.
        arguments += ["-w", "20", "-W", "24"]
        let scheme = keys == nil ? "http" : "https"
        let command =
            tied(to: 1) + [program] + arguments + [
                "\(scheme)://127.0.0.1:\(server.port)\(path)"
            ]
        let before = try ServerUsage(of: server.identifier)
        let text = try BenchTool.run(command[0], Array(command.dropFirst()))
        let after = try ServerUsage(of: server.identifier)
        guard let (count, took) = Self.result(of: text) else {
            throw CommandFailure("h2load against \(name) printed no result: \(text.suffix(300))")
        }
        return BenchRow(
            system: name, client: "h2load", tls: keys != nil, isTied: isTied,
            line: BenchLine(
                task: "\(body.name), \(inFlight) in flight", count: count, seconds: took),
            serverSeconds: after.processorSeconds - before.processorSeconds,
            serverMegabytes: after.residentMegabytes)
    }

    /// The requests that succeeded and the seconds they took.
    private static func result(of text: String) -> (Int, Double)? {
        var seconds: Double?
        for line in text.split(separator: "\n") {
            let words = line.split { " ,".contains($0) }
            if line.hasPrefix("finished in"), words.count > 3, let rate = Double(words[3]) {
                seconds = rate
            }
            if line.hasPrefix("requests:"), let index = words.firstIndex(of: "succeeded"),
                index > 0, let count = Int(words[index - 1]), let rate = seconds, rate > 0
            {
                return (count, Double(count) / rate)
            }
        }
        return nil
    }
}
