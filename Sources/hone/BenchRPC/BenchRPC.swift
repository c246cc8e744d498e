import ArgumentParser
import Glibc
import RPC
import ServiceKit
import TLS

/// Measures our calls beside other runtimes', each with a server in a process of its own.
struct BenchRPC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc",
        abstract: "Calls and messages per second beside gRPC Go, gRPC C++ and nghttpd.",
        discussion: """
            One connection over loopback; client and server share this machine's cores. Every line
            is measured in rounds, all systems in turns, with the processes tied to cores of their
            own and without; the table has the median of the faster placement. Peers are built
            from Tests/Benchmarks/rpc where their compilers and libraries are installed.
            Example: hone bench rpc --rounds 5 --json
            """,
        subcommands: [BenchRPCServe.self, BenchRPCLoad.self])

    @Option(help: "How long to measure each line in a round.")
    var seconds = 0.4
    @Option(help: "How often to measure each line.")
    var rounds = 3
    @Option(help: "Where handlers run: loop (on the event loop of their connection) or pool.")
    var handlers = "loop"
    @Flag(inversion: .prefixedNo, help: "Measures gRPC Go, gRPC C++ and nghttpd as well.")
    var peers = true
    @Flag(inversion: .prefixedNo, help: "Measures over TLS as well.")
    var tls = true
    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        if !(seconds > 0) { throw ValidationError("--seconds is \(seconds); give more than 0.") }
        if rounds < 1 { throw ValidationError("--rounds is \(rounds); give 1 or more.") }
        if !["loop", "pool"].contains(handlers) {
            throw ValidationError("--handlers is \(handlers); give loop or pool.")
        }
    }

    func run() async throws {
        let folder = try BenchFolder()
        defer { folder.remove() }
        let progress = ProgressBar("bench rpc")
        defer { progress.finish() }
        var search = BenchPeers(folder: folder)
        if peers { try search.find() }
        let systems = [try BenchSystem.ours(handlers: handlers)] + search.systems
        let keys = tls ? try folder.makeCertificate() : nil
        let securities = [nil] + (keys.map { [$0] } ?? [])
        var rows: [BenchRow] = []
        for round in 1...rounds {
            for security in securities {
                for system in systems.flatMap(\.placements) {
                    let name = system.name + (security == nil ? "" : ", TLS")
                    progress.update(0, of: 0, "round \(round) of \(rounds): \(name)")
                    rows += try system.measure(seconds, security, folder)
                }
            }
        }
        progress.update(0, of: 0, "memory")
        let report = BenchReport(
            rows: BenchRow.medians(of: rows),
            cost: try await BenchCost.measure(folder, handlers: handlers),
            missing: search.missing)
        progress.finish()
        if json { return try JSONOutput.print(report) }
        print(report.text, terminator: "")
    }
}

/// The server that is measured: prints its port, and serves until its parent is gone.
struct BenchRPCServe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "The server of the benchmark.", shouldDisplay: false)

    // Another name than the option of the command above it, which would take the value for itself.
    @Option var placement = "loop"
    @Option var certificate: String?
    @Option var key: String?

    func run() async throws {
        var configuration = ServerConfiguration()
        configuration.handlers = placement == "loop" ? .eventLoop : .pool
        if let certificate, let key {
            configuration.tls = try TLSSettings(certificate: certificate, key: key)
        }
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

/// The client that loads a server: prints a JSON line for each shape of load.
struct BenchRPCLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "The client of the benchmark.", shouldDisplay: false)

    @Argument var port: Int
    @Argument var seconds: Double
    @Argument var authority: String?

    func run() async throws {
        let tls = try authority.map { try TLSSettings(authority: $0) }
        try await withClient(.dns(host: "127.0.0.1", port: port), tls: tls) { client in
            var failure: (any Error)?
            try await RPCBenchmark.run(client, for: .seconds(seconds)) { measurement in
                let line = BenchLine(
                    task: measurement.shape.name, count: measurement.count,
                    seconds: measurement.seconds,
                    p50Microseconds: measurement.median.map { $0 / .microseconds(1) },
                    p99Microseconds: measurement.percentile99.map { $0 / .microseconds(1) })
                do {
                    StandardOutput.write(try JSONOutput.text(line) + "\n")
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }
}

/// What a client prints of a shape, ours or another runtime's.
struct BenchLine: Codable {
    var task: String
    /// Calls, or messages of a stream.
    var count: Int
    var seconds: Double
    var p50Microseconds: Double?
    var p99Microseconds: Double?
}
