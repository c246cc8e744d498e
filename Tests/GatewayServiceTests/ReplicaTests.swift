import Corpus
import Foundation
import GatewayService
import RPC
import Schema
import Synchronization
import Testing
import Wire

@Suite struct `Replicas` {
    private static let request = GenerateRequest.with {
        $0.instruction = "Q"
        $0.policy.mode = .off
    }

    /// The last event of an answer.
    private func finish(_ stream: AnswerStream) async throws -> GenerateEvent? {
        var last: GenerateEvent?
        while let event = try await stream.next() { last = event }
        return last
    }

    /// Runs a set of replicas while the body does.
    private func running<Value: Sendable>(
        _ replicas: ReplicaSet, _ body: () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await replicas.run() }
            let value = try await body()
            group.cancelAll()
            return value
        }
    }

    @Test(arguments: ["resume", "differ"])
    func `another goes on where one is lost in the middle of an answer`(
        question: String
    ) async throws {
        let (whole, lost) = (ScriptedInference(), ScriptedInference(lost: true))
        let request = GenerateRequest.with {
            $0.instruction = question
            $0.policy.mode = .off
        }
        var failures = 0
        try await serving(whole.router()) { first in
            try await serving(lost.router()) { second in
                let replicas = try replicas(at: [first, second])
                try await running(replicas) {
                    while lost.requests.withLock({ $0.count }) < 2 {
                        do {
                            let events = try await all(replicas.answer(request))
                            #expect(events.map(\.sequence) == Array(1...events.count))
                            #expect(events.count { $0.kind == .segmentStarted } == 1)
                            let text = events.filter { $0.kind == .delta }.map(\.text).joined()
                            #expect(text == "draft 0 of <b>\(question)</b>")
                        } catch let status as Status {
                            failures += 1
                            #expect(status.message.contains("answers differently"), "\(status)")
                        }
                    }
                }
            }
        }
        // What the caller has heard cannot be taken back.
        #expect(failures == (question == "differ" ? 2 : 0))
        let seeds = whole.requests.withLock { $0.map(\.sampling.seed) }
        #expect(seeds.allSatisfy { $0 != nil })
    }

    private func all(_ stream: AnswerStream) async throws -> [GenerateEvent] {
        var events: [GenerateEvent] = []
        while let event = try await stream.next() { events.append(event) }
        return events
    }

    @Test func `one without a model gets no question, and one that lost it passes it on`()
        async throws
    {
        let (full, empty) = (ScriptedInference(), ScriptedInference(model: ""))
        try await serving(full.router()) { first in
            try await serving(empty.router()) { second in
                let replicas = try replicas(at: [first, second])
                try await running(replicas) {
                    for _ in 0..<12 {
                        let last = try await finish(replicas.answer(Self.request))
                        #expect(last?.kind == .finished)
                    }
                    // It says that it has a model, and has lost it when the question comes.
                    empty.model.withLock { $0 = "scripted" }
                    while await replicas.known().contains(where: { $0.status?.ready != true }) {
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    empty.model.withLock { $0 = "" }
                    for _ in 0..<12 {
                        let last = try await finish(replicas.answer(Self.request))
                        #expect(last?.kind == .finished)
                    }
                }
            }
        }
        #expect(full.requests.withLock { $0.count } == 24)
    }

    @Test func `a conversation stays at one replica, and others go elsewhere`() async throws {
        let both = [ScriptedInference(), ScriptedInference()]
        try await serving(both[0].router()) { first in
            try await serving(both[1].router()) { second in
                let replicas = try replicas(at: [first, second])
                try await running(replicas) {
                    for _ in 0..<3 {
                        for conversation in 0..<16 {
                            var request = Self.request
                            request.conversation = "c\(conversation)"
                            let last = try await finish(replicas.answer(request))
                            #expect(last?.kind == .finished)
                        }
                    }
                }
            }
        }
        let seen = both.map { $0.requests.withLock { $0.map(\.conversation) } }
        #expect(seen.map(\.count).reduce(0, +) == 48)
        #expect(Set(seen[0]).isDisjoint(with: seen[1]))
        // Sixteen conversations at one place: once in 32,768 pairs of ports.
        #expect(seen.allSatisfy { !$0.isEmpty })
    }

    @Test func `the model loaded last is loaded again where it is missing`() async throws {
        let folder = try Folder()
        let file = folder.path + "/model"
        let (first, second) = (ScriptedInference(model: ""), ScriptedInference(model: ""))
        try await serving(first.router()) { one in
            try await serving(second.router()) { two in
                let alone = try replicas(at: [one], file: file)
                let names = try await running(alone) { try await alone.load("tuned") }
                #expect(names == ["tuned"])
                // A gateway started anew, with a replica more.
                let both = try replicas(at: [one, two], file: file)
                try await running(both) {
                    while second.loads.withLock({ $0.isEmpty }) {
                        _ = await both.known()
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    first.model.withLock { $0 = "" }
                    while first.loads.withLock({ $0.count }) < 2 {
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
        }
        #expect(first.loads.withLock { $0 } == ["tuned", "tuned"])
        #expect(second.loads.withLock { $0 } == ["tuned"])
    }

    @Test func `says what is missing where nobody can answer`() async throws {
        let empty = ScriptedInference(model: "")
        try await serving(empty.router()) { port in
            let replicas = try replicas(at: [port])
            try await running(replicas) {
                let error = await #expect(throws: Status.self) {
                    try await finish(replicas.answer(Self.request))
                }
                #expect(error?.code == .failedPrecondition)
                empty.model.withLock { $0 = "scripted" }
                var request = Self.request
                request.model = "other"
                let other = request
                let unknown = await #expect(throws: Status.self) {
                    try await finish(replicas.answer(other))
                }
                #expect(unknown?.code == .notFound)
            }
        }
    }

    @Test func `an answer nobody reads ends at the replica`() async throws {
        let script = ScriptedInference()
        try await serving(script.router()) { port in
            let replicas = try replicas(at: [port])
            try await running(replicas) {
                var request = Self.request
                request.instruction = "wait"
                let stream = replicas.answer(request)
                await script.started.wait()
                stream.stop()
                await script.cancelled.wait()
            }
        }
    }
}
