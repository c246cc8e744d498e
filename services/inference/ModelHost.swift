package import Generation
import ServiceKit
import Synchronization

/// Holds the model that serves, and puts another in its place when asked.
///
/// The old model serves until the new one is ready; its open requests then end with an error that
/// may be retried.
package final class ModelHost: Sendable {
    /// What a model is loaded with.
    package struct Settings: Sendable {
        package var limits = Scheduler.Limits()
        /// Threads that compute, the scheduler's own included.
        package var threads = 1
        /// Nil takes the context that the model was made for.
        package var contextLength: Int?
        /// Nil takes the tokenizer in the model's folder.
        package var tokenizer: String?
        /// Told how many of a model's tensors are read, and of how many.
        package var onRead: @Sendable (Int, Int) -> Void = { _, _ in }

        package init() {}
    }

    private struct Request: Sendable {
        var name: String
        var path: String
        var done: CheckedContinuation<LoadedModel, any Error>
    }

    private struct State {
        var loaded: LoadedModel?
        /// Ends the model that serves.
        var retire: AsyncStream<Void>.Continuation?
        var isStopped = false
    }

    private let settings: Settings
    private let state = Mutex(State())
    private let requests: AsyncStream<Request>
    private let submit: AsyncStream<Request>.Continuation
    /// One element for each model that begins to serve; for one reader.
    package let beginnings: AsyncStream<Void>
    private let begins: AsyncStream<Void>.Continuation

    package init(_ settings: Settings) {
        self.settings = settings
        (requests, submit) = AsyncStream.makeStream()
        (beginnings, begins) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package var loaded: LoadedModel? { state.withLock { $0.loaded } }

    func current() throws -> LoadedModel {
        guard let loaded else { throw InferenceError.noModel }
        return loaded
    }

    /// Loads a folder; returns once the model can serve.
    package func load(name: String, path: String) async throws -> LoadedModel {
        try await withCheckedThrowingContinuation { done in
            if state.withLock({ $0.isStopped }) {
                return done.resume(throwing: InferenceError.noModel)
            }
            let request = Request(name: name, path: path, done: done)
            guard case .enqueued = submit.yield(request) else {
                return done.resume(throwing: InferenceError.noModel)
            }
        }
    }

    /// Runs models until it is cancelled.
    package func run() async throws {
        await withDiscardingTaskGroup { group in
            for await request in requests {
                group.addTask { await self.serve(request) }
            }
            submit.finish()
            group.cancelAll()
        }
        state.withLock { $0.isStopped = true }
        for await request in requests { request.done.resume(throwing: InferenceError.noModel) }
        throw CancellationError()
    }

    private func serve(_ request: Request) async {
        let answer = OneAnswer(request.done)
        do {
            let model = try LoadedModel(
                name: request.name, path: request.path, tokenizer: settings.tokenizer,
                contextLength: settings.contextLength, limits: settings.limits)
            let (retired, retire) = AsyncStream.makeStream(of: Void.self)
            let thread = ComputeThread()
            let (threads, onRead) = (settings.threads, settings.onRead)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await withTaskExecutorPreference(thread) {
                        try await model.run(threads: threads, onRead: onRead) {
                            self.replace(by: model, retire: retire)
                            answer.give(.success(model))
                        }
                    }
                }
                group.addTask { for await _ in retired {} }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            answer.give(.failure(error))
        }
        answer.give(.failure(CancellationError()))
    }

    private func replace(by model: LoadedModel, retire: AsyncStream<Void>.Continuation) {
        let old = state.withLock { state in
            defer {
                state.loaded = model
                state.retire = retire
            }
            return state.retire
        }
        old?.finish()
        begins.yield()
    }
}

/// Answers a waiting caller once; whatever comes later is dropped.
private final class OneAnswer: Sendable {
    private let waiting: Mutex<CheckedContinuation<LoadedModel, any Error>?>

    init(_ continuation: CheckedContinuation<LoadedModel, any Error>) {
        waiting = Mutex(continuation)
    }

    func give(_ result: Result<LoadedModel, any Error>) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(with: result)
    }
}

/// Loads a model, runs a body beside it and ends it with the body; shows how the loading goes.
package func withModel<Value: Sendable>(
    _ path: String, _ settings: ModelHost.Settings,
    _ body: @escaping @Sendable (LoadedModel) async throws -> Value
) async throws -> Value {
    var settings = settings
    let bar = ProgressBar("load")
    settings.onRead = { done, total in
        bar.update(done, of: total)
        if done == total { bar.finish() }
    }
    let host = ModelHost(settings)
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask {
            do {
                try await host.run()
            } catch is CancellationError {
                return nil
            }
            return nil
        }
        group.addTask { try await body(host.load(name: path, path: path)) }
        defer { group.cancelAll() }
        while let value = try await group.next() {
            if let value { return value }
        }
        throw CancellationError()
    }
}
