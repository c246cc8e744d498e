import RPC
import Schema
import Synchronization
import TLS
import Wire

/// One inference process, with a connection of its own.
final class Replica: Sendable {
    private struct State {
        var status: InferenceStatus?
        var failure: Status?
        /// Answers that this gateway has it make at present.
        var open = 0
        /// Whether it was away when a model was loaded everywhere.
        var hasMissedLoad = false
        var isLoading = false
        var mayLoadFrom = ContinuousClock.now
    }

    let endpoint: Target.Endpoint
    let client: Client
    private let state = Mutex(State())
    private let left: AsyncStream<Void>
    private let leave: AsyncStream<Void>.Continuation

    private static let statusLimit = Duration.seconds(3)
    private static let loadLimit = Duration.seconds(600)
    /// How long to leave a replica alone after it could not load a model.
    private static let loadPause = Duration.seconds(5)

    /// - Parameter name: what the certificate must bear: the name that led to the address.
    init(_ endpoint: Target.Endpoint, name: String, tls: TLSSettings?) {
        self.endpoint = endpoint
        var configuration = ClientConfiguration(tls: tls)
        configuration.serverName = name
        configuration.interceptors = [Tracing()]
        client = Client(.addresses([endpoint]), configuration)
        (left, leave) = AsyncStream.makeStream()
    }

    /// Keeps the connection, and asks for the replica's state again and again, until it has left the
    /// target or the task is cancelled.
    ///
    /// - Parameter asked: called each time.
    func run(every interval: Duration, asked: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    await self.refresh()
                    await asked()
                    do { try await Task.sleep(for: interval) } catch { return }
                }
            }
            group.addTask { [client] in
                // A client that cannot run fails its calls, which is where it shows.
                _ = try? await client.run()
            }
            group.addTask { [left] in for await _ in left {} }
            await group.next()
            group.cancelAll()
        }
    }

    func end() { leave.finish() }

    /// What it last said of itself; nil where it did not answer.
    var status: InferenceStatus? { state.withLock { $0.status } }
    var failure: Status? { state.withLock { $0.failure } }
    var open: Int { state.withLock { $0.open } }

    /// Whether it has a model, and the one asked for; an empty name is content with any.
    func serves(_ model: String) -> Bool {
        guard let status, status.ready else { return false }
        return model.isEmpty || status.model == model
    }

    func refresh() async {
        do {
            let status = try await client.unary(
                InferenceAPI.status, Empty(), options: CallOptions(deadline: Self.statusLimit))
            state.withLock {
                $0.status = status
                $0.failure = nil
            }
        } catch {
            failed(Status(describing: error))
        }
    }

    /// Nothing is known of it until it answers again.
    func failed(_ failure: Status) {
        state.withLock {
            $0.status = nil
            $0.failure = failure
        }
    }

    /// Hands the events of one answer on.
    func generate(
        _ request: GenerateRequest, _ options: CallOptions,
        _ take: @Sendable (GenerateEvent) throws -> Void
    ) async throws {
        state.withLock { $0.open += 1 }
        defer { state.withLock { $0.open -= 1 } }
        try await client.serverStreaming(
            InferenceAPI.generate, request, options: options
        ) { events in
            for try await event in events { try take(event) }
        }
    }

    // MARK: Loading

    func load(_ model: String) async -> Result<String, Status> {
        do {
            let status = try await client.unary(
                InferenceAPI.load, LoadRequest.with { $0.model = model },
                options: CallOptions(deadline: Self.loadLimit))
            state.withLock {
                $0.status = status
                $0.failure = nil
                $0.hasMissedLoad = false
            }
            return .success(status.model)
        } catch {
            let failure = Status(describing: error)
            state.withLock { $0.hasMissedLoad = true }
            return .failure(failure)
        }
    }

    /// Whether the caller shall now load `model`: it came back empty, or was away when it was loaded.
    func beginsCatchingUp(with model: String) -> Bool {
        state.withLock { state in
            guard let status = state.status, !state.isLoading,
                ContinuousClock.now >= state.mayLoadFrom
            else { return false }
            if status.model == model { state.hasMissedLoad = false }
            guard status.model.isEmpty || state.hasMissedLoad else { return false }
            state.isLoading = true
            return true
        }
    }

    func endsCatchingUp() {
        state.withLock {
            $0.isLoading = false
            $0.mayLoadFrom = ContinuousClock.now + Self.loadPause
        }
    }
}
