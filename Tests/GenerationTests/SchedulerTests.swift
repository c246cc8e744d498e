import Generation
import Synchronization
import Testing
import Tokenization

struct SchedulerTests {
    private static let tokenizer: Result<Tokenizer, any Error> = Result {
        var settings = VocabularyTrainer.Settings()
        settings.maximumSize = 280
        var trainer = VocabularyTrainer(settings)
        trainer.add("some words to begin with")
        return try trainer.train()
    }

    private static func completion(_ seed: Int, tokens: Int = 24) throws -> CompletionProgram {
        var settings = CompletionProgram.Settings()
        settings.maximumTokens = tokens
        settings.sampling = Sampling(temperature: seed % 3 == 0 ? 0 : 1, seed: UInt64(seed))
        let prompt = (0..<(1 + seed * 7 % 30)).map { Int32(($0 * 5 + seed) % 40) }
        return CompletionProgram(
            prompt: prompt, tokenizer: try tokenizer.get(), settings: settings)
    }

    @Test func `the same request gives the same tokens whatever runs beside it`() async throws {
        let alone = Scheduler(Scheduler.Limits(slots: 1, chunk: 100))
        let crowd = Scheduler(Scheduler.Limits(slots: 5, chunk: 3, stepTokens: 7))
        let expected = try await withScheduler(alone, { hashingModel() }) {
            var tokens: [[TokenID]] = []
            for seed in 0..<20 {
                tokens.append(try await alone.perform(Self.completion(seed)).tokens)
            }
            return tokens
        }
        let together = try await withScheduler(crowd, { hashingModel() }) {
            try await withThrowingTaskGroup(of: (Int, [TokenID]).self) { group in
                for seed in 0..<20 {
                    group.addTask {
                        (seed, try await crowd.perform(Self.completion(seed)).tokens)
                    }
                }
                return try await group.reduce(into: [Int: [TokenID]]()) { $0[$1.0] = $1.1 }
            }
        }
        for seed in 0..<20 { #expect(together[seed] == expected[seed], "seed \(seed)") }
    }

    @Test func `sequences advance in one step and prompts in chunks`() async throws {
        let sizes = Mutex<[[Int]]>([])
        let scheduler = Scheduler(Scheduler.Limits(slots: 3, chunk: 4, stepTokens: 9))
        try await withScheduler(
            scheduler,
            {
                ScriptedModel(
                    vocabularySize: 40,
                    onStep: { steps in sizes.withLock { $0.append(steps.map(\.tokens.count)) } },
                    logits: { _ in [Float](repeating: 0, count: 40) })
            },
            {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 {
                        group.addTask { _ = try await scheduler.perform(Self.completion(4)) }
                    }
                    try await group.waitForAll()
                }
            })
        let seen = sizes.withLock { $0 }
        #expect(seen.contains { $0.count == 3 && $0.allSatisfy { $0 == 1 } })
        #expect(seen.allSatisfy { $0.reduce(0, +) <= 9 && $0.allSatisfy { $0 <= 4 } })
    }

    @Test func `a cancelled sequence frees its place at once`() async throws {
        let scheduler = Scheduler(Scheduler.Limits(slots: 1, queue: 4))
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let tokens = try await withScheduler(scheduler, { hashingModel() }) {
            try await withThrowingTaskGroup(of: [TokenID]?.self) { group in
                group.addTask {
                    do {
                        _ = try await scheduler.perform(EndlessProgram(onStep: { start.yield() }))
                    } catch is CancellationError {
                        return nil
                    }
                    return []
                }
                for await _ in started { break }
                #expect(scheduler.load.active == 1)
                group.cancelAll()
                let first = try await group.next()
                #expect(first == .some(nil))
                return try await scheduler.perform(Self.completion(1)).tokens
            }
        }
        #expect(tokens.count == 24)
    }

    @Test func `a waiting sequence is refused when the queue is full, and can be cancelled`()
        async throws
    {
        let scheduler = Scheduler(Scheduler.Limits(slots: 1, queue: 1))
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        try await withScheduler(scheduler, { hashingModel() }) {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await scheduler.perform(EndlessProgram(onStep: { start.yield() }))
                    }
                }
                for await _ in started { break }
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await scheduler.perform(Self.completion(2))
                    }
                }
                while scheduler.load.waiting == 0 { await Task.yield() }
                await #expect(throws: GenerationError.queueFull(waiting: 1)) {
                    try await scheduler.perform(Self.completion(3))
                }
                group.cancelAll()
            }
        }
    }

    @Test func `prompts that cannot be read are refused by name`() async throws {
        let scheduler = Scheduler()
        let tokenizer = try Self.tokenizer.get()
        try await withScheduler(scheduler, { hashingModel(contextLength: 10) }) {
            func fails(_ prompt: [TokenID], _ error: GenerationError) async {
                await #expect(throws: error) {
                    try await scheduler.perform(
                        CompletionProgram(
                            prompt: prompt, tokenizer: tokenizer,
                            settings: CompletionProgram.Settings()))
                }
            }
            await fails([], .emptyPrompt)
            await fails([40], .unknownToken(id: 40, vocabulary: 40))
            await fails([TokenID](repeating: 1, count: 11), .tooLong(tokens: 11, limit: 10))
            let full = CompletionProgram(
                prompt: [1, 2, 3], tokenizer: tokenizer, settings: CompletionProgram.Settings())
            let done = try await scheduler.perform(full)
            #expect(done.tokens.count == 8 && done.reason == .length)
        }
    }

    @Test func `when the model ends, those who wait are told`() async throws {
        let scheduler = Scheduler()
        await #expect(throws: GenerationError.badSetting(name: "a", value: "b", expected: "c")) {
            try await scheduler.run {
                throw GenerationError.badSetting(name: "a", value: "b", expected: "c")
            }
        }
        let other = Scheduler()
        try await withScheduler(other, { hashingModel() }) {}
        while other.load.active > 0 { await Task.yield() }
        await #expect(throws: GenerationError.notRunning) {
            try await other.perform(Self.completion(1))
        }
    }

    @Test func `scores are the log-probabilities of what the model gives`() async throws {
        let scheduler = Scheduler(Scheduler.Limits(chunk: 2))
        let ids: [TokenID] = [3, 1, 4, 1, 5, 9]
        let scored = try await withScheduler(scheduler, { hashingModel() }) {
            try await scheduler.perform(ScoreProgram(ids: ids, top: 3))
        }
        #expect(scored.logProbabilities.count == 5 && scored.likeliest.count == 6)
        let model = hashingModel()
        let rows = try model.decode(
            [SequenceStep(cache: model.makeCache(), tokens: ids, wanted: .all)])[0]
        for place in 0..<6 {
            let row = rows[place * 40..<(place + 1) * 40]
            let normalizer = LogProbability.normalizer(row)
            let order = row.enumerated().sorted { $0.element > $1.element }.prefix(3)
            #expect(scored.likeliest[place].map(\.id) == order.map { Int32($0.offset) })
            if place < 5 {
                let expected = row[row.startIndex + Int(ids[place + 1])] - normalizer
                #expect(abs(scored.logProbabilities[place] - expected) < 1e-5)
            }
        }
    }
}
