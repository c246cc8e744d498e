import NIOCore
import Synchronization

/// Measures how soon a handler knows that its caller has given up.
///
/// Server and client may be two processes: both read the machine's monotonic clock.
enum CancellationBenchmark {
    private static let wait = Method<BenchmarkMessage, BenchmarkMessage>(
        service: "hone.Benchmark", name: "Wait", kind: .serverStreaming)
    private static let lastEnd = Method<BenchmarkMessage, BenchmarkMessage>(
        service: "hone.Benchmark", name: "LastEnd", kind: .unary)

    /// Adds a call that waits until it is cancelled, and one that tells when the last was.
    static func register(in router: inout Router) {
        let end = EndTime()
        router.serverStreaming(wait) { request, responses, _ in
            try await responses.write(request)
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                end.nanoseconds.store(
                    NIODeadline.now().uptimeNanoseconds, ordering: .releasing)
            }
        }
        router.unary(lastEnd) { _, _ in
            BenchmarkMessage(number: end.nanoseconds.load(ordering: .acquiring))
        }
    }

    private final class EndTime: Sendable {
        let nanoseconds = Atomic<UInt64>(0)
    }

    /// Cancels so many calls, one after the other; how long each took to reach its handler, sorted.
    static func run(_ client: Client, times: Int) async throws -> [Duration] {
        var durations: [Duration] = []
        for _ in 0..<times {
            let before = try await client.unary(lastEnd, BenchmarkMessage(count: 1)).number
            let cancelled = try await cancelOne(client)
            var end = before
            while end == before {
                end = try await client.unary(lastEnd, BenchmarkMessage(count: 1)).number
            }
            durations.append(.nanoseconds(Int64(end) - Int64(cancelled)))
        }
        return durations.sorted()
    }

    /// Begins a call, and cancels it once it is answered; when that was, in nanoseconds.
    private static func cancelOne(_ client: Client) async throws -> UInt64 {
        let (answers, answered) = AsyncStream.makeStream(of: Void.self)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // It ends by being cancelled.
                try? await client.serverStreaming(wait, BenchmarkMessage(count: 1)) { messages in
                    for try await _ in messages { answered.yield() }
                }
            }
            for await _ in answers { break }
            let now = NIODeadline.now().uptimeNanoseconds
            group.cancelAll()
            return now
        }
    }
}
