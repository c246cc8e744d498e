import RPC

/// Makes the measured calls and counts.
struct BenchRPCMeasurement {
    /// One line of the table.
    struct Row: Encodable, Sendable {
        var task: String
        var inFlight: Int
        /// Calls, or messages of a stream.
        var perSecond: Double
        /// Payload in one direction, in units of 10⁶ bytes.
        var megabytesPerSecond: Double
        var p50Microseconds: Double?
        var p99Microseconds: Double?
        /// Processor seconds the server spent on a million of them.
        var serverSecondsPerMillion: Double
        /// The most memory the server has held so far.
        var serverResidentBytes: Int
    }

    let client: Client
    let seconds: Double

    func all() async throws -> [Row] {
        var rows: [Row] = []
        for (bytes, inFlight) in [(100, 1), (100, 16), (100, 64), (65_536, 16)] {
            _ = try await unary(bytes: bytes, inFlight: inFlight, seconds: min(0.5, seconds))
            rows.append(try await unary(bytes: bytes, inFlight: inFlight, seconds: seconds))
        }
        for bytes in [100, 65_536] {
            _ = try await stream(bytes: bytes, seconds: min(0.5, seconds))
            rows.append(try await stream(bytes: bytes, seconds: seconds))
        }
        return rows
    }

    private func usage() async throws -> BenchUsage {
        try await client.unary(BenchCalls.usage, BenchPayload())
    }

    private func unary(bytes: Int, inFlight: Int, seconds: Double) async throws -> Row {
        let payload = BenchPayload(bytes: bytes)
        let before = try await usage()
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + .seconds(seconds)
        var latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<inFlight {
                group.addTask { [client] in
                    var latencies: [Double] = []
                    var now = clock.now
                    while now < end {
                        _ = try await client.unary(BenchCalls.echo, payload)
                        let done = clock.now
                        latencies.append((done - now) / .microseconds(1))
                        now = done
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let spent = (clock.now - start) / .seconds(1)
        let after = try await usage()
        latencies.sort()
        var row = row("unary \(Self.size(bytes))", bytes, latencies.count, spent, before, after)
        row.inFlight = inFlight
        row.p50Microseconds = latencies[latencies.count / 2]
        row.p99Microseconds = latencies[latencies.count * 99 / 100]
        return row
    }

    private func stream(bytes: Int, seconds: Double) async throws -> Row {
        let request = BenchPayload(bytes: bytes, messages: bytes < 1_000 ? 100_000 : 2_000)
        let before = try await usage()
        let clock = ContinuousClock()
        let start = clock.now
        var count = 0
        repeat {
            count += try await client.serverStreaming(BenchCalls.expand, request) { messages in
                var count = 0
                for try await _ in messages { count += 1 }
                return count
            }
        } while clock.now - start < .seconds(seconds)
        let spent = (clock.now - start) / .seconds(1)
        let after = try await usage()
        return row("server stream \(Self.size(bytes))", bytes, count, spent, before, after)
    }

    private func row(
        _ task: String, _ bytes: Int, _ count: Int, _ spent: Double, _ before: BenchUsage,
        _ after: BenchUsage
    ) -> Row {
        let perSecond = Double(count) / spent
        return Row(
            task: task, inFlight: 1, perSecond: perSecond,
            megabytesPerSecond: perSecond * Double(bytes) / 1e6,
            serverSecondsPerMillion: (after.processorSeconds - before.processorSeconds)
                / Double(max(1, count)) * 1e6,
            serverResidentBytes: after.residentBytes)
    }

    private static func size(_ bytes: Int) -> String {
        bytes < 1_024 ? "\(bytes) B" : "\(bytes / 1_024) KiB"
    }
}
