import Corpus
import FoundationEssentials
package import RPC
package import Schema
import ServiceKit
import Synchronization
package import TLS

/// The inference replicas one by one: which there are, what each has loaded, who answers.
///
/// Names are resolved and replicas asked every second. The model that was loaded last is loaded again
/// by replicas that come back without it, and by those that are added.
package final class ReplicaSet: Sendable {
    /// What a replica says of itself; nil where it does not answer.
    package struct Known: Sendable {
        package var endpoint: Target.Endpoint
        package var status: InferenceStatus?
        package var failure: Status?
    }

    private struct State {
        var replicas: [Target.Endpoint: Replica] = [:]
        var hasAsked = false
        /// The model that was loaded last; empty if none was.
        var wanted = ""
        var unresolved: Status?
    }

    private let target: Target
    private let tls: TLSSettings?
    /// Where the last model's name is kept; nil keeps it in memory alone.
    private let file: String?
    private let state: Mutex<State>
    private let work: AsyncStream<@Sendable () async -> Void>
    private let add: AsyncStream<@Sendable () async -> Void>.Continuation

    private static let interval = Duration.seconds(1)

    package init(_ target: Target, tls: TLSSettings? = nil, file: String? = nil) throws {
        self.target = target
        self.tls = tls
        self.file = file
        var state = State()
        if let file, FileManager.default.fileExists(atPath: file) {
            state.wanted = String(decoding: try FileReader.bytes(of: file), as: UTF8.self)
        }
        self.state = Mutex(state)
        (work, add) = AsyncStream.makeStream()
    }

    /// Keeps the connections and makes the answers; calls wait until this runs.
    package func run() async {
        defer { add.finish() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watch() }
            for await body in work { group.addTask { await body() } }
        }
    }

    private func watch() async {
        while !Task.isCancelled {
            await refresh()
            do { try await Task.sleep(for: Self.interval) } catch { return }
        }
    }

    // MARK: What is known

    /// Every replica; asks them anew where none is known to be ready.
    package func known() async -> [Known] {
        if !state.withLock({ $0.hasAsked }) || !replicas().contains(where: { $0.serves("") }) {
            await refresh()
        }
        return replicas().map {
            Known(endpoint: $0.endpoint, status: $0.status, failure: $0.failure)
        }
    }

    /// The model that was loaded last; empty if none was.
    package var wanted: String { state.withLock { $0.wanted } }

    /// Each replica's client, by the replica's address.
    func clients() -> [(endpoint: Target.Endpoint, client: Client)] {
        replicas().map { ($0.endpoint, $0.client) }
    }

    private func replicas() -> [Replica] {
        state.withLock { $0.replicas.values.sorted { "\($0.endpoint)" < "\($1.endpoint)" } }
    }

    private func refresh() async {
        await resolve()
        let replicas = replicas()
        await withDiscardingTaskGroup { group in
            for replica in replicas { group.addTask { await replica.refresh() } }
        }
        state.withLock { $0.hasAsked = true }
        let wanted = wanted
        if wanted.isEmpty { return }
        for replica in replicas where replica.beginsCatchingUp(with: wanted) {
            add.yield {
                _ = await replica.load(wanted)
                replica.endsCatchingUp()
            }
        }
    }

    /// Finds the addresses the target's names have now.
    private func resolve() async {
        var found: [(endpoint: Target.Endpoint, name: String)] = []
        var failure: Status?
        for endpoint in target.endpoints {
            do {
                found += try await Target.addresses([endpoint]).addresses().map {
                    ($0.endpoint, $0.name)
                }
            } catch {
                failure = Status(describing: error)
            }
        }
        let (new, gone) = state.withLock { state -> ([Replica], [Replica]) in
            state.unresolved = failure
            // What is known stays in use: a name server that is away takes no replica along.
            let kept = failure == nil ? Set(found.map(\.endpoint)) : nil
            let gone = state.replicas.filter { kept?.contains($0.key) == false }
            for endpoint in gone.keys { state.replicas[endpoint] = nil }
            var new: [Replica] = []
            for (endpoint, name) in found where state.replicas[endpoint] == nil {
                let replica = Replica(endpoint, name: name, tls: tls)
                state.replicas[endpoint] = replica
                new.append(replica)
            }
            return (new, Array(gone.values))
        }
        for replica in new { add.yield { await replica.run() } }
        for replica in gone { replica.end() }
    }

    // MARK: Answers

    /// Begins an answer, at the least busy of the replicas that have the model; where one cannot,
    /// another does.
    package func answer(_ request: GenerateRequest, within limit: Duration? = nil) -> AnswerStream {
        let stream = AnswerStream()
        let options = CallOptions(deadline: limit)
        let body = stream.maker { [self] take in try await generate(request, options, take) }
        if case .terminated = add.yield(body) { stream.stop() }
        return stream
    }

    private func generate(
        _ request: GenerateRequest, _ options: CallOptions,
        _ take: @escaping @Sendable (GenerateEvent) -> Void
    ) async throws {
        var tried: Set<Target.Endpoint> = []
        var failure: Status?
        while true {
            guard let replica = await choose(request.model, besides: tried) else {
                throw failure ?? refusal(request.model)
            }
            tried.insert(replica.endpoint)
            let hasBegun = Atomic(false)
            do {
                return try await replica.generate(request, options) { event in
                    hasBegun.store(true, ordering: .relaxed)
                    take(event)
                }
            } catch let status as Status {
                try Task.checkCancellation()
                if Self.isOfReplica(status) { replica.failed(status) }
                guard !hasBegun.load(ordering: .relaxed),
                    Self.isOfReplica(status) || status.code == .resourceExhausted
                else { throw status }
                failure = status
            }
        }
    }

    /// Whether a failure is the replica's rather than the request's.
    private static func isOfReplica(_ status: Status) -> Bool {
        switch status.code {
        case .unavailable, .failedPrecondition, .notFound, .aborted: true
        default: false
        }
    }

    private func choose(_ model: String, besides tried: Set<Target.Endpoint>) async -> Replica? {
        func best() -> Replica? {
            replicas().filter { !tried.contains($0.endpoint) && $0.serves(model) }
                .shuffled().min { $0.open < $1.open }
        }
        if let replica = best() { return replica }
        if tried.isEmpty { await refresh() }
        return best()
    }

    /// Why nobody can answer.
    private func refusal(_ model: String) -> Status {
        let replicas = replicas()
        let reached = replicas.compactMap(\.status)
        if let other = reached.first(where: \.ready) {
            return Status(.notFound, "no replica has \"\(model)\" loaded, they have \(other.model)")
        }
        if !reached.isEmpty { return Status(.failedPrecondition, "no model is loaded") }
        return replicas.compactMap(\.failure).first ?? state.withLock { $0.unresolved }
            ?? Status(.unavailable, "inference at \(target) has no replica")
    }

    // MARK: Loading

    /// Loads a model everywhere; a replica that cannot be reached is passed over, as long as one can,
    /// and loads it once it is back.
    ///
    /// - Returns: the name each replica that loaded it gives it.
    package func load(_ model: String) async throws -> [String] {
        await resolve()
        let replicas = replicas()
        let outcomes = await withTaskGroup(of: Result<String, Status>.self) { group in
            for replica in replicas { group.addTask { await replica.load(model) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let loaded = outcomes.compactMap { try? $0.get() }
        let failures = outcomes.compactMap { outcome -> Status? in
            if case .failure(let status) = outcome { status } else { nil }
        }
        if let refusal = failures.first(where: { !Patience.isAway($0) }) { throw refusal }
        if loaded.isEmpty { throw failures.first ?? refusal(model) }
        let isNew = state.withLock { state in
            defer { state.wanted = model }
            return state.wanted != model
        }
        if isNew, let file { try AtomicFile.write(Array(model.utf8), to: file) }
        return loaded
    }
}
