import Corpus
import FoundationEssentials
package import RPC
package import Schema
import ServiceKit
import Synchronization
package import TLS

/// The inference replicas one by one: which there are, what each has loaded, who answers.
///
/// Names are resolved, and replicas asked, every second; none waits for another. The model that was
/// loaded last is loaded again by replicas that come back without it, and by those that are added.
package final class ReplicaSet: Sendable {
    /// What a replica says of itself; nil where it does not answer.
    package struct Known: Sendable {
        package var endpoint: Target.Endpoint
        package var status: InferenceStatus?
        package var failure: Status?
    }

    fileprivate struct State {
        var replicas: [Target.Endpoint: Replica] = [:]
        var resolution: TargetResolution
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

    static let interval = Duration.seconds(1)

    package init(
        _ target: Target, tls: TLSSettings? = nil, file: String? = nil,
        names: NameResolver = .system
    ) throws {
        self.target = target
        self.tls = tls
        self.file = file
        var state = State(resolution: TargetResolution(names))
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
            await resolve()
            do { try await Task.sleep(for: Self.interval) } catch { return }
        }
    }

    // MARK: What is known

    /// Every replica; asks them anew where none is known to be ready.
    package func known() async -> [Known] {
        if !replicas().contains(where: { $0.serves("") }) { await refresh() }
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
    }

    /// Lets a replica that lacks the model load it.
    private func catchUp(_ replica: Replica) async {
        let wanted = wanted
        guard !wanted.isEmpty, replica.beginsCatchingUp(with: wanted) else { return }
        add.yield {
            _ = await replica.load(wanted)
            replica.endsCatchingUp()
        }
    }

    /// Finds the addresses the target's names have now.
    private func resolve() async {
        var resolution = state.withLock { $0.resolution }
        let (addresses, failure) = await resolution.update(target) { addresses in
            state.withLock { $0.add(addresses, tls) }.forEach(begin)
        }
        let (new, gone) = state.withLock { state in
            state.resolution = resolution
            state.unresolved = failure
            return (state.add(addresses, tls), state.removeAll(besides: addresses))
        }
        new.forEach(begin)
        for replica in gone { replica.end() }
    }

    private func begin(_ replica: Replica) {
        add.yield { await replica.run(every: Self.interval) { await self.catchUp(replica) } }
    }

    // MARK: Answers

    /// Begins an answer at one of the replicas that have the model; where one cannot, another does.
    ///
    /// A conversation goes to the same replica each time, which knows its beginning, as long as that
    /// one is not much busier than the others; anything else goes to the least busy.
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
        var request = request
        if request.sampling.seed == nil {
            // So that another replica draws the same, where this one is lost on the way.
            request.sampling.seed = Int.random(in: 0..<(1 << 48))
        }
        let replay = AnswerReplay()
        var tried: Set<Target.Endpoint> = []
        var failure: Status?
        while true {
            guard let replica = await choose(for: request, besides: tried) else {
                throw failure ?? refusal(request.model)
            }
            tried.insert(replica.endpoint)
            replay.begin()
            do {
                return try await replica.generate(request, options) { event in
                    if let news = replay.news(of: event) { take(news) }
                    if replay.differs { throw Self.difference }
                }
            } catch let status as Status {
                try Task.checkCancellation()
                if status == Self.difference { throw status }
                if Self.isOfReplica(status) { replica.failed(status) }
                guard
                    Self.isOfReplica(status)
                        || (status.code == .resourceExhausted && !replay.hasBegun)
                else { throw status }
                failure = status
            }
        }
    }

    private static let difference = Status(
        .unavailable,
        "the replica that answered was lost, and another one answers differently; ask again")

    /// Whether a failure is the replica's rather than the request's.
    private static func isOfReplica(_ status: Status) -> Bool {
        switch status.code {
        case .unavailable, .failedPrecondition, .notFound, .aborted: true
        default: false
        }
    }

    private func choose(
        for request: GenerateRequest, besides tried: Set<Target.Endpoint>
    ) async -> Replica? {
        func best() -> Replica? {
            let able = replicas().filter {
                !tried.contains($0.endpoint) && $0.serves(request.model)
            }
            return owner(of: request.conversation, among: able)
                ?? able.shuffled().min { $0.open < $1.open }
        }
        if let replica = best() { return replica }
        if tried.isEmpty { await refresh() }
        return best()
    }

    /// The replica a conversation belongs to: the first, in an order of its own, that is not too
    /// busy; nil of no conversation.
    ///
    /// - Source: Thaler and Ravishankar 1998, "Using Name-Based Mappings to Increase Hit Rates".
    private func owner(of conversation: String, among able: [Replica]) -> Replica? {
        guard !conversation.isEmpty else { return nil }
        let bound = HashRing.bound(
            open: able.reduce(0) { $0 + $1.open }, servers: able.count, ConsistentHashing())
        return able.filter { $0.open < bound }
            .max { Self.rank($0, conversation) < Self.rank($1, conversation) }
    }

    private static func rank(_ replica: Replica, _ conversation: String) -> UInt64 {
        HashRing.hash("\(replica.endpoint) \(conversation)")
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

extension ReplicaSet.State {
    /// Takes in the addresses that are new.
    fileprivate mutating func add(
        _ addresses: [Target.Address], _ tls: TLSSettings?
    ) -> [Replica] {
        var new: [Replica] = []
        for address in addresses where replicas[address.endpoint] == nil {
            let replica = Replica(address.endpoint, name: address.name, tls: tls)
            replicas[address.endpoint] = replica
            new.append(replica)
        }
        return new
    }

    /// Takes out the replicas whose addresses are gone.
    fileprivate mutating func removeAll(besides addresses: [Target.Address]) -> [Replica] {
        let kept = Set(addresses.map(\.endpoint))
        let gone = replicas.filter { !kept.contains($0.key) }
        for endpoint in gone.keys { replicas[endpoint] = nil }
        return Array(gone.values)
    }
}
