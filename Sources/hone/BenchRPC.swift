import ArgumentParser
// Process is not in FoundationEssentials.
import Foundation
import Glibc
import RPC
import ServiceKit

/// Measures our calls with a server in a process of its own, on this machine.
struct BenchRPC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc",
        abstract: "Calls and messages per second, their latency, and the server's time.",
        discussion: """
            One connection over loopback; client and server share this machine's cores.
            Example: hone bench rpc --seconds 5
            """)

    @Option(help: "How long to measure each line.")
    var seconds = 2.0
    @Flag(help: "Runs the server's handlers on its event loop instead of the concurrent pool.")
    var eventLoop = false
    @Flag(help: "Prints JSON.")
    var json = false
    /// Makes this process the server that the other one measures.
    @Flag(help: .hidden)
    var serve = false

    /// One line of the table.
    struct Row: Encodable {
        var task: String
        /// Calls, or messages of a stream.
        var perSecond: Double
        /// Payload in one direction, in units of 10⁶ bytes.
        var megabytesPerSecond: Double
        var p50Microseconds: Double?
        var p99Microseconds: Double?
        /// Processor seconds the server spent on a million of them.
        var serverSecondsPerMillion: Double
        /// The most memory the server has held so far.
        var serverMegabytes: Double
    }

    func validate() throws {
        if !(seconds > 0) { throw ValidationError("--seconds is \(seconds); give more than 0.") }
    }

    func run() async throws {
        if serve { return try await runServer() }
        let server = Process()
        server.executableURL = URL(
            filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        server.arguments = ["bench", "rpc", "--serve"] + (eventLoop ? ["--event-loop"] : [])
        let output = Pipe()
        server.standardOutput = output
        try server.run()
        defer {
            server.terminate()
            server.waitUntilExit()
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.filter(\.isNumber)) else {
            throw CommandFailure("the server of the benchmark did not begin to serve")
        }
        let rows = try await measure(port: port, server: server.processIdentifier)
        if json { return try JSONOutput.print(rows) }
        var table = TextTable(
            "task", "per second", "MB/s", "p50 µs", "p99 µs", "server CPU s per 1M", "server MiB")
        for row in rows {
            table.add(
                row.task, TextTable.number(row.perSecond),
                TextTable.number(row.megabytesPerSecond),
                row.p50Microseconds.map(TextTable.number) ?? "–",
                row.p99Microseconds.map(TextTable.number) ?? "–",
                TextTable.number(row.serverSecondsPerMillion),
                TextTable.number(row.serverMegabytes))
        }
        print(table.text, terminator: "")
    }

    private func measure(port: Int, server: Int32) async throws -> [Row] {
        let progress = ProgressBar("calls")
        defer { progress.finish() }
        return try await withClient(.dns(host: "127.0.0.1", port: port), tls: nil) { client in
            var before = try ServerUsage(of: server)
            var rows: [Result<Row, any Error>] = []
            try await RPCBenchmark.run(client, for: .seconds(seconds)) { measurement in
                rows.append(
                    Result {
                        let after = try ServerUsage(of: server)
                        defer { before = after }
                        return Row(measurement, after, since: before)
                    })
                progress.update(rows.count, of: RPCBenchmark.shapes.count)
            }
            return try rows.map { try $0.get() }
        }
    }

    /// Serves until the parent is gone, even if it was killed.
    private func runServer() async throws {
        var configuration = ServerConfiguration()
        configuration.handlers = eventLoop ? .eventLoop : .pool
        let server = Server(configuration, router: RPCBenchmark.router)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            StandardOutput.write("\(try await server.listeningPort())\n")
            group.addTask {
                let parent = getppid()
                while getppid() == parent { try await Task.sleep(for: .milliseconds(200)) }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}

/// What a process has used since it began, from /proc.
private struct ServerUsage {
    var processorSeconds: Double
    /// The largest it ever held.
    var residentMegabytes: Double

    init(of process: Int32) throws {
        func words(_ file: String) throws -> [Substring] {
            try String(contentsOf: URL(filePath: "/proc/\(process)/\(file)"), encoding: .utf8)
                .split(whereSeparator: \.isWhitespace)
        }
        // proc(5): fields 14 and 15 of stat are the times in user and kernel mode, in hundredths of
        // a second; field 2, the name, is "(hone)".
        processorSeconds = try words("stat")[13...14].reduce(0) { $0 + (Double($1) ?? 0) / 100 }
        let status = try words("status")
        let peak = status.firstIndex(of: "VmHWM:").flatMap { Double(status[$0 + 1]) } ?? 0
        residentMegabytes = peak / 1_024
    }
}

extension BenchRPC.Row {
    fileprivate init(
        _ measurement: RPCBenchmark.Measurement, _ usage: ServerUsage, since before: ServerUsage
    ) {
        self.init(
            task: measurement.shape.name, perSecond: measurement.perSecond,
            megabytesPerSecond: measurement.megabytesPerSecond,
            p50Microseconds: measurement.median.map { $0 / .microseconds(1) },
            p99Microseconds: measurement.percentile99.map { $0 / .microseconds(1) },
            serverSecondsPerMillion: (usage.processorSeconds - before.processorSeconds)
                / Double(max(1, measurement.count)) * 1e6,
            serverMegabytes: usage.residentMegabytes)
    }
}
