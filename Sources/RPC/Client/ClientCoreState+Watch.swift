import Synchronization

extension ClientCore.State {
    // MARK: Circuits and outliers

    mutating func setCircuit(of stay: ClientCore.Stay, _ circuit: ClientCore.Circuit) {
        guard let server = servers[stay.address], server.stay == stay, server.circuit != circuit
        else { return }
        servers[stay.address]?.circuit = circuit
        findCandidates()
    }

    /// Lets circuits that were open for long enough take a call.
    mutating func halfOpenCircuits(
        _ breaker: CircuitBreaker, _ now: ContinuousClock.Instant
    ) {
        var hasChanged = false
        for (address, server) in servers {
            guard case .open(let since) = server.circuit, now - since >= breaker.openTime else {
                continue
            }
            servers[address]?.circuit = .halfOpen
            hasChanged = true
        }
        if hasChanged { findCandidates() }
    }

    /// Compares the servers where an interval is over.
    mutating func sweep(_ detection: OutlierDetection, _ now: ContinuousClock.Instant) {
        guard let due = nextSweep else {
            nextSweep = now + detection.interval
            return
        }
        guard now >= due else { return }
        nextSweep = now + detection.interval
        let addresses = Array(servers.keys)
        var records: [OutlierRecord] = []
        for address in addresses {
            guard var server = servers[address] else { continue }
            server.countCalls()
            servers[address] = server
            records.append(server.record)
        }
        detection.sweep(&records, at: now)
        for (address, record) in zip(addresses, records) { servers[address]?.record = record }
        findCandidates()
    }

    // MARK: Further connections

    /// Connections beyond the first that were idle for a minute; they take no calls from now on.
    mutating func takeIdleConnections(_ now: ContinuousClock.Instant) -> [ClientConnection] {
        var idle: [ClientConnection] = []
        for (address, server) in servers where server.connections.count > 1 {
            guard let last = server.connections.last, last.load.load(ordering: .relaxed) == 0
            else {
                servers[address]?.idleSince = nil
                continue
            }
            guard let since = server.idleSince else {
                servers[address]?.idleSince = now
                continue
            }
            guard now - since >= .seconds(60) else { continue }
            servers[address]?.idleSince = nil
            servers[address]?.connections.removeLast()
            idle.append(last)
        }
        if !idle.isEmpty { findCandidates() }
        return idle
    }

    // MARK: What others see

    private var connectivity: Connectivity {
        switch phase {
        case .idle: .idle
        case .stopped: .shutdown
        case .running:
            if !candidates.isEmpty {
                .ready
            } else if mayBecomeReady {
                .connecting
            } else {
                .transientFailure
            }
        }
    }

    /// Tells those who watch of a change. Under the lock, so that they hear all in order; a
    /// stream runs nobody's code while it takes a value.
    mutating func announce() {
        let now = connectivity
        guard now != told else { return }
        told = now
        for watcher in watchers.values { watcher.yield(now) }
    }

    mutating func watch(_ continuation: AsyncStream<Connectivity>.Continuation) -> Int {
        watcherCount += 1
        continuation.yield(told)
        if told == .shutdown {
            continuation.finish()
        } else {
            watchers[watcherCount] = continuation
        }
        return watcherCount
    }

    func snapshot() -> [ServerSnapshot] {
        servers.values.map { server in
            let state: ServerSnapshot.State =
                switch server.state {
                case .connecting: .connecting
                case .ready: .ready
                case .failed(let status): .failed(status.message)
                }
            let circuit: ServerSnapshot.Circuit =
                switch server.circuit {
                case .closed: .closed
                case .open: .open
                case .halfOpen: .halfOpen
                }
            return ServerSnapshot(
                address: server.stay.address.description, state: state,
                connections: server.connections.count, openCalls: server.openCalls,
                isEjected: server.record.ejectedAt != nil,
                timesEjected: server.record.timesEjected, circuit: circuit)
        }.sorted { $0.address < $1.address }
    }
}

extension ClientCore.Server {
    /// Puts what its connections counted in this interval into the record.
    fileprivate mutating func countCalls() {
        record.successes = 0
        record.failures = 0
        for connection in connections {
            let successes = connection.successes.load(ordering: .relaxed)
            let failures = connection.failures.load(ordering: .relaxed)
            let before = counted.updateValue((successes, failures), forKey: .init(connection))
            record.successes += successes - (before?.successes ?? 0)
            record.failures += failures - (before?.failures ?? 0)
        }
    }
}
