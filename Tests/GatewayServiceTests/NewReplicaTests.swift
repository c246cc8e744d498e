import GatewayService
import RPC
import Schema
import Synchronization
import Testing
import Wire

/// Replicas that a name leads to later.
@Suite(.timeLimit(.minutes(5)))
struct NewReplicaTests {
    private static let request = GenerateRequest.with {
        $0.instruction = "Q"
        $0.policy.mode = .off
    }

    @Test func `a replica that is added takes its share within five seconds, although one hangs`()
        async throws
    {
        let (old, new) = (ScriptedInference(), ScriptedInference(model: ""))
        // It takes every question for its state, and answers none.
        var hanging = Router()
        hanging.unary(InferenceAPI.status) { _, _ in
            try await Task.sleep(for: .seconds(600))
            return InferenceStatus()
        }
        let addresses = Mutex(["127.0.0.1"])
        let names = NameResolver { _ in addresses.withLock { $0 } }
        let stuck = hanging
        let failures = Failures()
        try await serving(old.router()) { port in
            try await serving(new.router(), host: "127.0.0.2", port: port) { _ in
                try await serving(stuck, host: "127.0.0.3", port: port) { _ in
                    let replicas = try ReplicaSet(
                        .dns(host: "inference", port: port), names: names)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { await replicas.run() }
                        group.addTask {
                            // Callers enough for two.
                            while !Task.isCancelled {
                                await Self.ask(replicas, times: 4, failures)
                            }
                        }
                        while old.requests.withLock({ $0.isEmpty }) {
                            try await Task.sleep(for: .milliseconds(5))
                        }
                        _ = try await replicas.load("scripted")
                        addresses.withLock { $0 += ["127.0.0.3", "127.0.0.2"] }
                        let added = ContinuousClock.now
                        while new.requests.withLock({ $0.isEmpty }) {
                            try await Task.sleep(for: .milliseconds(5))
                        }
                        #expect(ContinuousClock.now - added < .seconds(5))
                        #expect(new.loads.withLock { $0 } == ["scripted"])
                        let before = [old, new].map { $0.requests.withLock { $0.count } }
                        while true {
                            let now = [old, new].map { $0.requests.withLock { $0.count } }
                            let took = zip(now, before).map { $0 - $1 }
                            guard took.reduce(0, +) >= 200 else {
                                try await Task.sleep(for: .milliseconds(5))
                                continue
                            }
                            #expect(took.allSatisfy { $0 >= 50 }, "\(took)")
                            break
                        }
                        #expect(failures.list.withLock { $0 } == [])
                        group.cancelAll()
                    }
                }
            }
        }
    }

    private final class Failures: Sendable {
        let list = Mutex<[String]>([])
    }

    private static func ask(_ replicas: ReplicaSet, times: Int, _ failures: Failures) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<times {
                group.addTask {
                    let stream = replicas.answer(request)
                    do {
                        while try await stream.next() != nil {}
                    } catch {
                        if !Task.isCancelled { failures.list.withLock { $0.append("\(error)") } }
                    }
                }
            }
        }
    }
}
