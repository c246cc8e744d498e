import Foundation
import RPC
import ServiceKit

/// What a call, an idle connection and an open stream cost our server.
struct BenchCost: Encodable {
    /// Nil where no C compiler is installed.
    var allocationsPerCall: Double?
    var allocatedBytesPerCall: Double?
    var kilobytesPerIdleConnection: Double
    var kilobytesPerOpenStream: Double
    /// From a caller's cancellation to the handler's, in another process.
    var cancellationMedianMicroseconds: Double
    var cancellationP99Microseconds: Double

    private static let connections = 400
    private static let streams = 400
    private static let calls = 20_000
    private static let cancellations = 2_000

    static func measure(_ folder: BenchFolder, handlers: String) async throws -> BenchCost {
        let system = try BenchSystem.ours(handlers: handlers)
        let (connection, stream) = try await memory(system, folder)
        let allocations = try await allocations(system, folder)
        let cancellation = try await cancellation(system, folder)
        return BenchCost(
            allocationsPerCall: allocations?.count, allocatedBytesPerCall: allocations?.bytes,
            kilobytesPerIdleConnection: connection, kilobytesPerOpenStream: stream,
            cancellationMedianMicroseconds: cancellation.median / .microseconds(1),
            cancellationP99Microseconds: cancellation.percentile99 / .microseconds(1))
    }

    var text: String {
        func number(_ value: Double?) -> String { value.map(TextTable.number) ?? "–" }
        var table = TextTable("what it costs our server", "")
        table.add("allocations a call", number(allocationsPerCall))
        table.add("bytes allocated a call", number(allocatedBytesPerCall))
        table.add("KiB an idle connection", number(kilobytesPerIdleConnection))
        table.add("KiB an open stream", number(kilobytesPerOpenStream))
        table.add("µs until a handler is cancelled, p50", number(cancellationMedianMicroseconds))
        table.add("µs until a handler is cancelled, p99", number(cancellationP99Microseconds))
        return table.text
    }

    /// By how much the server grows with idle connections, then with open streams on one of them.
    private static func memory(
        _ system: BenchSystem, _ folder: BenchFolder
    ) async throws -> (connection: Double, stream: Double) {
        let server = try BenchServer(system, nil, folder)
        let target = Target.dns(host: "127.0.0.1", port: server.port)
        return try await withClient(target, tls: nil) { first in
            try await RPCBenchmark.touch(first)
            let empty = try ServerUsage(of: server.identifier).residentKilobytes
            let idle = try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<connections {
                    let client = Client(target)
                    group.addTask { try await client.run() }
                    try await RPCBenchmark.touch(client)
                }
                defer { group.cancelAll() }
                return try ServerUsage(of: server.identifier).residentKilobytes
            }
            let before = try await settled(server)
            var open = before
            try await RPCBenchmark.holding(streams, first) { open = try await settled(server) }
            return (
                (idle - empty) / Double(connections), max(0, open - before) / Double(streams)
            )
        }
    }

    private static func settled(_ server: BenchServer) async throws -> Double {
        try await Task.sleep(for: .milliseconds(400))
        return try ServerUsage(of: server.identifier).residentKilobytes
    }

    private static func cancellation(
        _ system: BenchSystem, _ folder: BenchFolder
    ) async throws -> (median: Duration, percentile99: Duration) {
        let server = try BenchServer(system, nil, folder)
        let target = Target.dns(host: "127.0.0.1", port: server.port)
        return try await withClient(target, tls: nil) { client in
            try await RPCBenchmark.cancelling(cancellations, client)
        }
    }

    /// Counted by a library that is put in front of the system's allocator.
    private static func allocations(
        _ system: BenchSystem, _ folder: BenchFolder
    ) async throws -> (count: Double, bytes: Double)? {
        let compiler = ["clang", "cc", "gcc"].lazy.compactMap(BenchTool.path(of:)).first
        guard let compiler, let sources = try BenchPeers.sourcesFolder() else { return nil }
        let (library, file) = (folder.path + "/count.so", folder.path + "/count")
        _ = try BenchTool.run(
            compiler,
            [
                "-O2", "-shared", "-fPIC", "-o", library, sources + "/count_allocations.c",
            ])
        let server = try BenchServer(
            system, nil, folder, environment: ["LD_PRELOAD": library, "HONE_ALLOCATIONS": file])
        let target = Target.dns(host: "127.0.0.1", port: server.port)
        return try await withClient(target, tls: nil) { client in
            try await RPCBenchmark.call(1_000, inFlight: 16, client)
            let before = try counts(file)
            try await RPCBenchmark.call(calls, inFlight: 16, client)
            let after = try counts(file)
            return (
                Double(after[0] - before[0]) / Double(calls),
                Double(after[1] - before[1]) / Double(calls)
            )
        }
    }

    private static func counts(_ file: String) throws -> [UInt64] {
        let data = try Data(contentsOf: URL(filePath: file))
        guard data.count == 16 else {
            throw CommandFailure("the counter of allocations left \(data.count) bytes, not 16")
        }
        return [0, 8].map { start in
            data.dropFirst(start).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}
