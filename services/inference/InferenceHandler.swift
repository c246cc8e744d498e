import FoundationEssentials
import Generation
package import RPC
package import Schema
import Tokenization

/// Answers the calls of `hone.Inference`.
package struct InferenceHandler: InferenceAPI.Handler {
    let host: ModelHost
    let registry: ModelRegistry

    package init(host: ModelHost, registry: ModelRegistry) {
        self.host = host
        self.registry = registry
    }

    /// Tokens of a completion when the request names no limit.
    private static let defaultCompletionTokens = 256

    package func generate(
        _ request: GenerateRequest, _ responses: ResponseWriter<GenerateEvent>,
        _ context: CallContext
    ) async throws {
        let began = ContinuousClock.now
        let model = try self.model(request.model)
        let tokenizer = try model.requireTokenizer()
        let chain = try engine { try ChainRequest(request) }
        let prompt = tokenizer.prefix + tokenizer.encode(chain.prompt, parsing: false)
        try await stream { (emit: @escaping @Sendable (ChainEvent) -> Void) in
            _ = try await model.scheduler.perform(
                ChainDecoder(
                    chain, prompt: prompt, tokenizer: tokenizer, endIDs: model.endIDs,
                    elapsed: { ContinuousClock.now - began }, emit: emit))
        } writing: { event, sequence in
            try await responses.write(GenerateEvent(event, sequence: sequence))
        }
    }

    package func complete(
        _ request: CompleteRequest, _ responses: ResponseWriter<CompletionEvent>,
        _ context: CallContext
    ) async throws {
        let model = try self.model(request.model)
        let tokenizer = try model.requireTokenizer()
        var settings = CompletionProgram.Settings()
        settings.sampling = try engine { try Generation.Sampling(request.sampling) }
        let limit = request.sampling.maximumTokens
        settings.maximumTokens = limit > 0 ? limit : Self.defaultCompletionTokens
        settings.stops = request.sampling.stop
        settings.endIDs = model.endIDs
        settings.logProbabilities = request.logprobs > 0 ? request.logprobs : nil
        let prompt =
            request.tokens.isEmpty
            ? tokenizer.prefix + tokenizer.encode(request.prompt, parsing: false)
            : try ids(request.tokens)
        if request.echo {
            var event = CompletionEvent()
            event.text = tokenizer.decode(prompt)
            event.tokens = prompt.map { UInt32($0) }
            try await responses.write(event)
        }
        let fixed = settings
        let last = try await stream {
            (emit: @escaping @Sendable (CompletionProgram.Piece) -> Void) in
            try await model.scheduler.perform(
                CompletionProgram(
                    prompt: prompt, tokenizer: tokenizer, settings: fixed, emit: emit))
        } writing: { piece, _ in
            var event = CompletionEvent()
            event.text = piece.text
            event.tokens = piece.tokens.map { UInt32($0) }
            event.logprobs = piece.logProbabilities
            try await responses.write(event)
        }
        var event = CompletionEvent()
        event.finished = true
        event.reason = last.reason.rawValue
        var usage = Usage()
        usage.promptTokens = prompt.count
        usage.completionTokens = last.tokens.count
        usage.answerTokens = last.tokens.count
        event.usage = usage
        try await responses.write(event)
    }

    package func tokenize(
        _ request: TokenizeRequest, _ context: CallContext
    ) async throws -> TokenizeReply {
        let tokenizer = try host.current().requireTokenizer()
        var reply = TokenizeReply()
        reply.tokens = tokenizer.encode(request.text, special: request.special).map { UInt32($0) }
        return reply
    }

    package func detokenize(
        _ request: DetokenizeRequest, _ context: CallContext
    ) async throws -> DetokenizeReply {
        let tokenizer = try host.current().requireTokenizer()
        var reply = DetokenizeReply()
        reply.text = tokenizer.decode(try ids(request.tokens), skippingSpecial: !request.special)
        return reply
    }

    package func score(_ request: ScoreRequest, _ context: CallContext) async throws -> ScoreReply {
        let model = try host.current()
        let program = ScoreProgram(ids: try ids(request.tokens), top: min(request.top, 100))
        let scored = try await engine { try await model.scheduler.perform(program) }
        var reply = ScoreReply()
        reply.logprobs = scored.logProbabilities
        reply.top = scored.likeliest.map { likeliest in
            var list = TopList()
            list.tokens = likeliest.map { UInt32($0.id) }
            list.logprobs = likeliest.map(\.logProbability)
            return list
        }
        return reply
    }

    package func status(_ request: Empty, _ context: CallContext) async throws -> InferenceStatus {
        status()
    }

    package func load(_ request: LoadRequest, _ context: CallContext) async throws
        -> InferenceStatus
    {
        try await engine { try await registry.load(request.model, into: host) }
        return status()
    }

    private func status() -> InferenceStatus {
        var status = InferenceStatus()
        guard let model = host.loaded else { return status }
        let load = model.scheduler.load
        status.model = model.name
        status.ready = true
        status.slots = model.scheduler.limits.slots
        status.active = load.active
        status.queued = load.waiting
        status.contextLength = model.contextLength
        status.vocabulary = model.vocabularySize
        status.generatedTokens = load.generatedTokens
        status.tokensPerSecond = load.tokensPerSecond
        return status
    }

    private func model(_ name: String) throws -> LoadedModel {
        let model = try host.current()
        guard name.isEmpty || name == model.name || name == model.path else {
            throw InferenceError.otherModel(asked: name, loaded: model.name)
        }
        return model
    }

    private func ids(_ tokens: [UInt32]) throws -> [TokenID] {
        guard let large = tokens.first(where: { $0 > UInt32(TokenID.max) }) else {
            return tokens.map { TokenID($0) }
        }
        throw InferenceError.badRequest(cause: "token \(large) is in no vocabulary")
    }

    private func engine<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as InferenceError {
            throw error
        } catch {
            throw Status(engine: error)
        }
    }

    private func engine<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as InferenceError {
            throw error
        } catch {
            throw Status(engine: error)
        }
    }

    /// Runs `produce` beside the writing of what it emits; either one's failure ends the other.
    ///
    /// The queue between them needs no bound of its own: a sequence has an end.
    private func stream<Event: Sendable, Value: Sendable>(
        _ produce: @escaping @Sendable (@escaping @Sendable (Event) -> Void) async throws -> Value,
        writing write: @escaping @Sendable (Event, Int) async throws -> Void
    ) async throws -> Value {
        let (events, queue) = AsyncStream.makeStream(of: Event.self)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                defer { queue.finish() }
                return try await engine { try await produce { queue.yield($0) } }
            }
            group.addTask {
                var sequence = 0
                for await event in events {
                    sequence += 1
                    try await write(event, sequence)
                }
                return nil
            }
            var value: Value?
            while let next = try await group.next() { value = next ?? value }
            guard let value else { throw CancellationError() }
            return value
        }
    }
}
