import FoundationEssentials
import Generation
import InferenceService
import RPC
import Schema
import TestKit
import Testing
import Tokenization

/// The service's calls over real connections, on a tiny model made for the test.
struct ServiceTests {
    /// Serves a model and gives the body a client.
    private func withService<Value: Sendable>(
        slots: Int = 4,
        _ body: @escaping @Sendable (Client, ModelHost, String) async throws -> Value
    ) async throws -> Value {
        let folder = try TemporaryFolder()
        let path = try TinyModel.make(in: folder)
        var settings = ModelHost.Settings()
        settings.limits = Scheduler.Limits(slots: slots, queue: 8)
        let host = ModelHost(settings)
        let registry = ModelRegistry(data: nil, folder: folder.path + "/fetched")
        var router = Router()
        router.register(InferenceHandler(host: host, registry: registry))
        let server = Server(ServerConfiguration(host: "127.0.0.1", port: 0), router: router)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await Self.untilCancelled { try await server.run() } }
            group.addTask { try await Self.untilCancelled { try await host.run() } }
            let port = try await server.listeningPort()
            let client = Client(.dns(host: "127.0.0.1", port: port))
            group.addTask { try await Self.untilCancelled { try await client.run() } }
            group.addTask {
                try await registry.load(path, into: host)
                return try await body(client, host, path)
            }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    private static func untilCancelled<Value>(_ body: () async throws -> Void) async throws
        -> Value?
    {
        do {
            try await body()
        } catch is CancellationError {
            return nil
        }
        return nil
    }

    private static func request(_ mode: RevisionMode, _ revisions: Int) -> GenerateRequest {
        var request = GenerateRequest()
        request.instruction = "Say something."
        request.policy.mode = mode
        request.policy.minimum = revisions
        request.policy.maximum = revisions
        request.sampling.temperature = 1
        request.sampling.seed = 11
        request.sampling.maximumTokens = 8
        return request
    }

    @Test func `generate streams typed events that agree with each other`() async throws {
        try await withService { client, _, _ in
            let events = try await client.serverStreaming(
                InferenceAPI.generate, Self.request(.enforced, 2)
            ) { stream in
                var events: [GenerateEvent] = []
                for try await event in stream { events.append(event) }
                return events
            }
            #expect(events.map(\.sequence) == Array(1...events.count))
            #expect(events.first?.kind == .segmentStarted)
            let last = try #require(events.last)
            #expect(last.kind == .finished && last.revisions == 2)
            // The revision was cut at eight tokens.
            #expect(last.reason == "length")
            #expect(last.usage?.promptTokens ?? 0 > 0)
            let done = events.filter { $0.kind == .segmentDone }
            #expect(
                done.map { $0.segment?.kind } == [
                    .answer, .feedback, .revision, .feedback, .revision,
                ])
            #expect(last.answer == done.last?.text)
            for segment in done {
                let deltas = events.filter {
                    $0.kind == .delta && $0.segment == segment.segment
                }
                #expect(deltas.map(\.text).joined() == segment.text)
            }
            let verdicts = events.compactMap(\.verdict)
            #expect(verdicts.count == 2 && verdicts.allSatisfy { $0.needed })
        }
    }

    @Test func `the same seed gives the same answer, alone or in a crowd`() async throws {
        try await withService { client, _, _ in
            @Sendable func whole() async throws -> String {
                try await client.serverStreaming(
                    InferenceAPI.generate, Self.request(.enforced, 1)
                ) { stream in
                    var last = GenerateEvent()
                    for try await event in stream { last = event }
                    return last.wholeGeneration
                }
            }
            let alone = try await whole()
            let crowd = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<5 { group.addTask { try await whole() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(crowd == Array(repeating: alone, count: 5))
        }
    }

    @Test func `a caller that goes away frees its place`() async throws {
        try await withService(slots: 1) { client, host, _ in
            var endless = CompleteRequest()
            endless.prompt = "Draft"
            endless.sampling.temperature = 1
            endless.sampling.seed = 1
            endless.sampling.maximumTokens = 390
            let request = endless
            for _ in 0..<5 {
                let tokens = try await client.serverStreaming(InferenceAPI.complete, request) {
                    stream in
                    for try await event in stream where !event.tokens.isEmpty {
                        return event.tokens.count
                    }
                    return 0
                }
                #expect(tokens == 1)
            }
            while host.loaded?.scheduler.load.active != 0 { await Task.yield() }
        }
    }

    @Test func `tokens, scores and the status are told`() async throws {
        try await withService { client, _, path in
            var text = TokenizeRequest()
            text.text = "Draft 1 says this."
            let tokens = try await client.unary(InferenceAPI.tokenize, text).tokens
            #expect(tokens.map { TokenID($0) } == Vocabularies.all[0].encode(text.text))
            var back = DetokenizeRequest()
            back.tokens = tokens
            #expect(try await client.unary(InferenceAPI.detokenize, back).text == text.text)
            var score = ScoreRequest()
            score.tokens = tokens
            score.top = 2
            let scored = try await client.unary(InferenceAPI.score, score)
            #expect(scored.logprobs.count == tokens.count - 1 && scored.top.count == tokens.count)
            let status = try await client.unary(InferenceAPI.status, Empty())
            #expect(status.ready && status.model == path && status.slots == 4)
            #expect(status.contextLength == 400)
        }
    }

    @Test func `another model takes the place of the first`() async throws {
        try await withService { client, host, path in
            let other = try TemporaryFolder()
            var load = LoadRequest()
            load.model = try TinyModel.make(in: other, seed: 9)
            #expect(try await client.unary(InferenceAPI.load, load).model == load.model)
            #expect(host.loaded?.name == load.model)
            load.model = "/nowhere"
            await #expect(throws: Status.self) { try await client.unary(InferenceAPI.load, load) }
            let status = try await client.unary(InferenceAPI.status, Empty())
            #expect(status.ready && status.model == other.path + "/model")
        }
    }

    @Test func `0 is a number of its own: no revisions, any doubt, no choice`() async throws {
        try await withService { client, host, _ in
            @Sendable func last(
                _ change: (inout GenerateRequest) -> Void
            ) async throws -> GenerateEvent {
                var request = Self.request(.autonomous, 0)
                change(&request)
                return try await client.serverStreaming(InferenceAPI.generate, request) { stream in
                    var last = GenerateEvent()
                    for try await event in stream { last = event }
                    return last
                }
            }
            let none = try await last { $0.policy.maximum = 0 }
            #expect(none.revisions == 0 && !none.wholeGeneration.contains("### Feedback 1:"))
            // Every verdict is at least 0 likely, and so "needed".
            let all = try await last {
                $0.policy.mode = .enforced
                $0.policy.minimum = 1
                $0.policy.maximum = 3
                $0.policy.threshold = 0
                $0.policy.maximumTokens = 300
            }
            let feedback = all.wholeGeneration.components(separatedBy: "### Feedback ").count - 1
            #expect(feedback <= all.revisions + 1 && all.revisions >= 1)
            #expect(!all.wholeGeneration.contains("Revision is not needed."))
            let greedy = try await last {
                $0.policy.mode = .off
                $0.policy.maximum = nil
                $0.sampling.temperature = 0
            }
            let narrow = try await last {
                $0.policy.mode = .off
                $0.policy.maximum = nil
                $0.sampling.topP = 0
            }
            #expect(narrow.answer == greedy.answer && !greedy.answer.isEmpty)
        }
    }

    @Test func `every id that the folder's files end a text with is heeded`() async throws {
        try await withService { client, host, _ in
            let folder = try TemporaryFolder()
            let model = try TinyModel.make(
                in: folder, more: ["generation_config.json": #"{"eos_token_id": [5, 7]}"#])
            _ = try await host.load(name: "m", path: model)
            #expect(host.loaded?.endIDs == [2, 5, 7])
            _ = try TinyModel.make(
                in: folder, more: ["generation_config.json": #"{"eos_token_id": "x"}"#])
            var load = LoadRequest()
            load.model = model
            do {
                _ = try await client.unary(InferenceAPI.load, load)
                Issue.record("it was loaded")
            } catch let status as Status {
                #expect(status.message.contains("generation_config.json"))
            }
        }
    }

    @Test func `requests that cannot be met say why`() async throws {
        try await withService { client, _, _ in
            @Sendable func code(_ request: GenerateRequest) async -> Status.Code? {
                do {
                    try await client.serverStreaming(InferenceAPI.generate, request) { stream in
                        for try await _ in stream {}
                    }
                    return .ok
                } catch {
                    return (error as? Status)?.code
                }
            }
            #expect(await code(GenerateRequest()) == .invalidArgument)
            var other = Self.request(.off, 0)
            other.model = "another"
            #expect(await code(other) == .notFound)
            var hot = Self.request(.off, 0)
            hot.sampling.temperature = 9
            #expect(await code(hot) == .invalidArgument)
            var tight = Self.request(.enforced, 3)
            tight.policy.maximumTokens = 9
            #expect(await code(tight) == .invalidArgument)
            var long = Self.request(.off, 0)
            long.instruction = String(repeating: "long ", count: 500)
            #expect(await code(long) == .outOfRange)
            var talk = Self.request(.off, 0)
            var turn = ChatMessage()
            turn.role = "assistant"
            talk.messages = [turn]
            #expect(await code(talk) == .invalidArgument)
        }
    }
}
