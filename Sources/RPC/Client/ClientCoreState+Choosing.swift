import Synchronization

extension ClientCore.State {
    /// A connection with room for a call, which is kept for it; nil where there is none now.
    mutating func pick(
        _ affinity: UInt64?, _ avoided: [ClientEndpoint], _ openCount: borrowing Atomic<Int>
    ) -> ClientConnection? {
        let index: Int?
        if candidates.count == 1 {
            index = 0
        } else if !avoided.isEmpty {
            index = search { candidate in !avoided.contains { $0 === candidate.endpoint } }
        } else if let affinity, case .consistent = balancer.balancing {
            index = owner(of: affinity, openCount.load(ordering: .relaxed))
        } else {
            let candidates = candidates
            index = balancer.choose(candidates.count) { candidates[$0].load }
        }
        if let index, let connection = room(at: index) { return take(connection, at: index) }
        guard candidates.count > 1, let index = search({ _ in true }),
            let connection = room(at: index)
        else { return nil }
        return take(connection, at: index)
    }

    private mutating func take(_ connection: ClientConnection, at index: Int) -> ClientConnection {
        connection.reserve()
        if candidates[index].isHalfOpen {
            setCircuit(of: candidates[index].endpoint.stay, .open(since: .now))
        }
        return connection
    }

    private func room(at index: Int) -> ClientConnection? {
        if let maximumCalls, candidates[index].load >= maximumCalls { return nil }
        return candidates[index].connections.first { $0.hasRoom }
    }

    /// The least loaded of the candidates that are accepted and have room.
    private mutating func search(_ accepts: (ClientCore.Candidate) -> Bool) -> Int? {
        guard !candidates.isEmpty else { return nil }
        let start = balancer.start(candidates.count)
        var best: (index: Int, load: Int)?
        for step in candidates.indices {
            let index = (start + step) % candidates.count
            guard accepts(candidates[index]), room(at: index) != nil else { continue }
            let load = candidates[index].load
            if best.map({ load < $0.load }) ?? true { best = (index, load) }
        }
        return best?.index
    }

    private func owner(of key: UInt64, _ open: Int) -> Int? {
        let bound = HashRing.bound(open: open, servers: candidates.count, hashing)
        let member = ring.owner(of: key) { member in
            let index = candidateOfMember[member]
            return index >= 0 && candidates[index].load < bound && room(at: index) != nil
        }
        return member.map { candidateOfMember[$0] }
    }

    /// Finds out who may be chosen: who is ready, well, and not left out; all who are ready where
    /// that is none.
    mutating func findCandidates() {
        let ready = servers.values.filter(\.isReady).sorted { $0.stay.number < $1.stay.number }
        let well = ready.filter { server in
            if case .open = server.circuit { return false }
            return server.record.ejectedAt == nil
        }
        candidates = (well.isEmpty ? ready : well).map { server in
            ClientCore.Candidate(
                endpoint: server.endpoint, connections: server.connections,
                isHalfOpen: server.circuit == .halfOpen)
        }
        var places: [ClientCore.Address: Int] = [:]
        for (index, candidate) in candidates.enumerated() {
            places[candidate.endpoint.stay.address] = index
        }
        candidateOfMember = ringMembers.map { places[$0] ?? -1 }
    }

    mutating func makeRing() {
        guard case .consistent = balancer.balancing else { return }
        ringMembers = Array(servers.keys)
        ring = HashRing(
            ringMembers.map(\.description), placesPerMember: hashing.placesPerServer)
    }

    // MARK: Waiting

    mutating func wait(
        _ call: ClientCall, _ configuration: ClientConfiguration
    ) -> Placement {
        guard call.plan.waitsForReady || !candidates.isEmpty || mayBecomeReady else {
            return .refused(whyUnavailable())
        }
        guard waiting.count < configuration.maximumWaitingCalls else {
            return .refused(
                Status(
                    .resourceExhausted,
                    "\(waiting.count) calls already wait for a connection to \(target); raise "
                        + "ClientConfiguration.maximumWaitingCalls or call less often"))
        }
        waiting.append(call)
        return .waits
    }

    /// Servers that take no more calls on the connections they have, and may get another.
    mutating func requestConnections() -> [AsyncStream<Void>.Continuation] {
        var requests: [AsyncStream<Void>.Continuation] = []
        let now = ContinuousClock.now
        for candidate in candidates where candidate.connections.count < maximumConnections {
            let address = candidate.endpoint.stay.address
            guard let server = servers[address], let request = server.connectMore,
                !server.isConnectingMore, maximumCalls.map({ candidate.load < $0 }) ?? true,
                server.mayConnectMoreFrom.map({ $0 <= now }) ?? true
            else { continue }
            servers[address]?.isConnectingMore = true
            requests.append(request)
        }
        return requests
    }

    /// Whether a connection may come about without anything changing first.
    var mayBecomeReady: Bool {
        guard phase == .running, isResolved else { return true }
        return servers.values.contains { server in
            if case .connecting = server.state { return true }
            return false
        }
    }

    func whyUnavailable() -> Status {
        let reason = failure?.message ?? "the name has no addresses"
        let code = failure?.code ?? .unavailable
        return Status(code, "no server of \(target) can be reached: \(reason)")
    }

    /// Calls that would not wait for a server and need not hope for one.
    mutating func takeHopeless() -> [(ClientCall, Status)] {
        guard candidates.isEmpty, !mayBecomeReady else { return [] }
        let status = whyUnavailable()
        return waiting.takeAll { !$0.plan.waitsForReady }.map { ($0, status) }
    }
}
