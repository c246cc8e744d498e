import Synchronization

/// What a server answers to `grpc.health.v1.Health`.
///
/// The name "" stands for the server as a whole; the services of its router are known by name.
public final class Health: Sendable {
    /// The states of the standard, with its numbers.
    public enum ServingStatus: Int, Sendable {
        case unknown = 0
        case serving, notServing, serviceUnknown
    }

    private struct State {
        var statuses: [String: ServingStatus] = ["": .serving]
        /// Whether nothing is serving yet, whatever is set.
        var isHeld = false
        var isDraining = false
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0

        func status(of service: String) -> ServingStatus? {
            guard let status = statuses[service] else { return nil }
            return isHeld || isDraining ? .notServing : status
        }

        func status(toWatch service: String) -> ServingStatus {
            status(of: service) ?? .serviceUnknown
        }

        func tellAll() {
            guard !isDraining else { return }
            for watcher in watchers.values {
                watcher.updates.yield(status(toWatch: watcher.service))
            }
        }
    }

    private struct Watcher {
        let service: String
        let updates: AsyncStream<ServingStatus>.Continuation
    }

    private let state = Mutex(State())

    init(services: [String]) {
        state.withLock { state in
            for service in services { state.statuses[service] = .serving }
        }
    }

    /// Until ``release()`` nothing is serving, whatever is set.
    public func hold() {
        state.withLock { state in
            state.isHeld = true
            state.tellAll()
        }
    }

    /// From now on each service is what was set.
    public func release() {
        state.withLock { state in
            state.isHeld = false
            state.tellAll()
        }
    }

    /// Sets what the server says of a service, and tells those who watch it.
    public func set(service: String, _ status: ServingStatus) {
        state.withLock { state in
            state.statuses[service] = status
            guard !state.isHeld, !state.isDraining else { return }
            for watcher in state.watchers.values where watcher.service == service {
                watcher.updates.yield(status)
            }
        }
    }

    /// What the server says of a service; nil where it knows no such service.
    public func status(of service: String) -> ServingStatus? {
        state.withLock { state in
            state.status(of: service)
        }
    }

    /// From now on nothing is serving, whatever is set.
    func drain() {
        state.withLock { state in
            state.isDraining = true
            for watcher in state.watchers.values {
                watcher.updates.yield(.notServing)
                watcher.updates.finish()
            }
        }
    }

    /// The present status and each later one; the newest only, where the reader is slow.
    func watch(_ service: String) -> (updates: AsyncStream<ServingStatus>, number: Int) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ServingStatus.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            let number = state.nextWatcher
            state.nextWatcher += 1
            state.watchers[number] = Watcher(service: service, updates: continuation)
            continuation.yield(state.isDraining ? .notServing : state.status(toWatch: service))
            if state.isDraining { continuation.finish() }
            return number
        }
        return (stream, number)
    }

    func stopWatching(_ number: Int) {
        state.withLock { $0.watchers[number] = nil }
    }
}
