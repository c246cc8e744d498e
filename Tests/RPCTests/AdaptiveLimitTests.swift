import RPC
import Synchronization
import Testing
import Wire

/// A server that finds out by itself how much it can do.
@Suite(.timeLimit(.minutes(5)))
struct AdaptiveLimitTests {
    /// A resource that takes the longer the more use it at a time, and how many do.
    private final class Crowded: Sendable {
        private struct State {
            var users = 0
            var most = 0
            var done = 0
        }

        private let state = Mutex(State())

        func use() async throws {
            let users = state.withLock { state in
                state.users += 1
                state.most = max(state.most, state.users)
                return state.users
            }
            defer {
                state.withLock { state in
                    state.users -= 1
                    state.done += 1
                }
            }
            try await Task.sleep(for: .milliseconds(2 * users))
        }

        var done: Int { state.withLock { $0.done } }

        /// The most users since the last time.
        func takeMost() -> Int {
            state.withLock { state in
                defer { state.most = state.users }
                return state.most
            }
        }
    }

    @Test func `a server that finds its own limit sheds load before it collapses`() async throws {
        let (crowd, refused) = (Crowded(), Counter())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            try await crowd.use()
            return request
        }
        var configuration = ServerConfiguration()
        configuration.load.adaptive = AdaptiveLimit()
        configuration.load.adaptive?.minimum = 2
        configuration.load.maximumQueuedCalls = 4
        try await withServer(router, configuration) { client, _, _ in
            // What a call takes without load is learned first.
            for _ in 0..<20 { _ = try await client.unary(Echo.unary, Bytes([])) }
            #expect(crowd.takeMost() == 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        while !Task.isCancelled {
                            let outcome = await status {
                                _ = try await client.unary(Echo.unary, Bytes([]))
                            }
                            guard outcome.code == .resourceExhausted else { continue }
                            refused.add()
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                    }
                }
                while crowd.done < 500 { try await Self.check(client) }
                // Forty would take eighty milliseconds each.
                _ = crowd.takeMost()
                while crowd.done < 600 { try await Self.check(client) }
                #expect(crowd.takeMost() <= 20)
                #expect(refused.value > 0)
                group.cancelAll()
            }
        }
    }

    private static func check(_ client: Client) async throws {
        let options = CallOptions(deadline: .seconds(20))
        _ = try await client.unary(
            Method<Bytes, Bytes>(service: "grpc.health.v1.Health", name: "Check", kind: .unary),
            Bytes([]), options: options)
        try await Task.sleep(for: .milliseconds(1))
    }
}
