import Glibc

/// Measures calls of the shapes that other runtimes are measured with.
///
/// A server offers ``router``; a client in the same process or another runs ``run(_:for:)``.
public struct RPCBenchmark: Sendable {
    /// One shape of call.
    public struct Shape: Sendable {
        public let name: String
        public let messageBytes: Int
        public let callsInFlight: Int
        public let isStream: Bool
    }

    /// What one shape reached.
    public struct Measurement: Sendable, CustomStringConvertible {
        public let shape: Shape
        /// Calls, or messages of a stream.
        public let count: Int
        public let seconds: Double
        /// How long a call took at the median and the ninety-ninth percentile; nil for streams.
        public let median: Duration?
        public let percentile99: Duration?
        /// What this process computed meanwhile, on all its threads.
        public let processSeconds: Double

        public var perSecond: Double { Double(count) / seconds }

        public var megabytesPerSecond: Double {
            perSecond * Double(shape.messageBytes) / 1e6
        }

        public var description: String {
            func microseconds(_ duration: Duration?) -> String {
                duration.map { "\($0.components.attoseconds / 1_000_000_000_000) µs" } ?? "-"
            }
            let cpu = processSeconds / Double(max(count, 1)) * 1e6
            return "\(shape.name): \(Int(perSecond))/s, \(Int(megabytesPerSecond)) MB/s, "
                + "p50 \(microseconds(median)), p99 \(microseconds(percentile99)), "
                + "\((cpu * 10).rounded() / 10) CPU s per million"
        }
    }

    static let echo = Method<BenchmarkMessage, BenchmarkMessage>(
        service: "hone.Benchmark", name: "Echo", kind: .unary)
    static let fetch = Method<BenchmarkMessage, BenchmarkMessage>(
        service: "hone.Benchmark", name: "Fetch", kind: .unary)
    static let flood = Method<BenchmarkMessage, BenchmarkMessage>(
        service: "hone.Benchmark", name: "Flood", kind: .serverStreaming)

    static let hold = Method<BenchmarkMessage, BenchmarkMessage>(
        service: "hone.Benchmark", name: "Hold", kind: .serverStreaming)

    public static let shapes: [Shape] = [
        Shape(
            name: "unary 100 B, 1 in flight", messageBytes: 100, callsInFlight: 1, isStream: false),
        Shape(
            name: "unary 100 B, 16 in flight", messageBytes: 100, callsInFlight: 16, isStream: false
        ),
        Shape(
            name: "unary 100 B, 64 in flight", messageBytes: 100, callsInFlight: 64, isStream: false
        ),
        Shape(
            name: "unary 64 KiB, 16 in flight", messageBytes: 64 << 10, callsInFlight: 16,
            isStream: false),
        Shape(name: "stream 100 B", messageBytes: 100, callsInFlight: 1, isStream: true),
        Shape(name: "stream 64 KiB", messageBytes: 64 << 10, callsInFlight: 1, isStream: true),
    ]

    /// Answers each call with its message, each fetch with 64 KiB, each flood with messages until it
    /// is cancelled, and a hold with nothing.
    public static var router: Router {
        var router = Router()
        let page = BenchmarkMessage(count: 64 << 10)
        router.unary(echo) { request, _ in request }
        router.unary(fetch) { _, _ in page }
        router.serverStreaming(flood) { request, responses, _ in
            while true { try await responses.write(request) }
        }
        router.serverStreaming(hold) { _, _, _ in
            while true { try await Task.sleep(for: .seconds(3600)) }
        }
        CancellationBenchmark.register(in: &router)
        return router
    }

    /// Measures every shape for so long.
    public static func run(
        _ client: Client, for duration: Duration, _ report: (Measurement) -> Void
    ) async throws {
        _ = try await client.unary(echo, BenchmarkMessage(count: 1))
        for shape in shapes {
            let measurement =
                shape.isStream
                ? try await stream(client, shape, duration)
                : try await calls(client, shape, duration)
            report(measurement)
        }
    }

    /// Makes one call, after which the client has a connection.
    public static func touch(_ client: Client) async throws {
        _ = try await client.unary(echo, BenchmarkMessage(count: 1))
    }

    /// Makes so many calls, some at a time.
    public static func call(_ count: Int, inFlight: Int, _ client: Client) async throws {
        let message = BenchmarkMessage(count: 100)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<inFlight {
                group.addTask(executorPreference: client.executor) {
                    for _ in stride(from: caller, to: count, by: inFlight) {
                        _ = try await client.unary(echo, message)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// How long a cancelled call took to reach its handler: the median and the ninety-ninth percentile
    /// of so many.
    public static func cancelling(
        _ count: Int, _ client: Client
    ) async throws -> (median: Duration, percentile99: Duration) {
        let durations = try await CancellationBenchmark.run(client, times: count)
        return (durations[count / 2], durations[count * 99 / 100])
    }

    /// Keeps so many streams open while `body` runs; their handlers wait.
    public static func holding(
        _ count: Int, _ client: Client, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await client.serverStreaming(hold, BenchmarkMessage(count: 1)) { answers in
                        for try await _ in answers {}
                    }
                }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private static func calls(
        _ client: Client, _ shape: Shape, _ duration: Duration
    ) async throws -> Measurement {
        let cpu = clock()
        let begun = ContinuousClock.now
        let end = begun + duration
        let message = BenchmarkMessage(count: shape.messageBytes)
        let times = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for _ in 0..<shape.callsInFlight {
                group.addTask(executorPreference: client.executor) {
                    var times: [Duration] = []
                    var now = ContinuousClock.now
                    repeat {
                        _ = try await client.unary(echo, message)
                        let next = ContinuousClock.now
                        times.append(next - now)
                        now = next
                    } while now < end
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let sorted = times.sorted()
        return Measurement(
            shape: shape, count: sorted.count, seconds: seconds(.now - begun),
            median: sorted[sorted.count / 2], percentile99: sorted[sorted.count * 99 / 100],
            processSeconds: Double(clock() - cpu) / Double(CLOCKS_PER_SEC))
    }

    private static func stream(
        _ client: Client, _ shape: Shape, _ duration: Duration
    ) async throws -> Measurement {
        let cpu = clock()
        let begun = ContinuousClock.now
        let end = begun + duration
        let message = BenchmarkMessage(count: shape.messageBytes)
        let count = try await client.serverStreaming(flood, message) { messages in
            var count = 0
            for try await _ in messages {
                count += 1
                if count & 63 == 0, ContinuousClock.now >= end { break }
            }
            return count
        }
        return Measurement(
            shape: shape, count: count, seconds: seconds(.now - begun), median: nil,
            percentile99: nil, processSeconds: Double(clock() - cpu) / Double(CLOCKS_PER_SEC))
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
