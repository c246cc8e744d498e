import ArgumentParser
// Process is not in FoundationEssentials.
import Foundation
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

    func validate() throws {
        if !(seconds > 0) { throw ValidationError("--seconds is \(seconds); give more than 0.") }
    }

    func run() async throws {
        if serve { return try await BenchRPCServer.run(onEventLoop: eventLoop) }
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
        let line = String(
            decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.filter(\.isNumber)) else {
            throw CommandFailure("the server of the benchmark did not begin to serve")
        }
        let rows = try await withClient(.dns(host: "127.0.0.1", port: port), tls: nil) { client in
            try await BenchRPCMeasurement(client: client, seconds: seconds).all()
        }
        if json { return try JSONOutput.print(rows) }
        var table = TextTable(
            "task", "in flight", "per second", "MB/s", "p50 µs", "p99 µs", "server CPU s per 1M")
        for row in rows {
            table.add(
                row.task, "\(row.inFlight)", TextTable.number(row.perSecond),
                TextTable.number(row.megabytesPerSecond),
                row.p50Microseconds.map(TextTable.number) ?? "–",
                row.p99Microseconds.map(TextTable.number) ?? "–",
                TextTable.number(row.serverSecondsPerMillion))
        }
        print(table.text, terminator: "")
    }
}
