import Synchronization

/// Who waits for a checkpoint of a running run, and which runs are about to be cancelled.
final class CheckpointRequests: Sendable {
    /// A checkpoint that was written.
    struct Saved: Sendable {
        var step: Int
        var path: String
    }

    private struct Run {
        var waiting: [CheckedContinuation<Saved?, Never>] = []
    }

    private let runs = Mutex<[String: Run]>([:])
    private let ending = Mutex<Set<String>>([])

    /// From now on the run is about to end.
    func cancelled(_ id: String) {
        ending.withLock { _ = $0.insert(id) }
    }

    /// The run has ended, or is to go on.
    func resumed(_ id: String) {
        ending.withLock { _ = $0.remove(id) }
    }

    func isEnding(_ id: String) -> Bool { ending.withLock { $0.contains(id) } }

    /// Asks a run for a checkpoint and waits for it; nil if the run is not running or ends first.
    func ask(_ id: String) async -> Saved? {
        await withCheckedContinuation { continuation in
            let isRunning = runs.withLock { runs in
                runs[id]?.waiting.append(continuation)
                return runs[id] != nil
            }
            if !isRunning { continuation.resume(returning: nil) }
        }
    }

    func begin(_ id: String) {
        runs.withLock { $0[id] = Run() }
    }

    func isWanted(_ id: String) -> Bool {
        runs.withLock { $0[id]?.waiting.isEmpty == false }
    }

    func saved(_ id: String, _ saved: Saved) {
        let waiting = runs.withLock { runs in
            defer { runs[id]?.waiting = [] }
            return runs[id]?.waiting ?? []
        }
        for continuation in waiting { continuation.resume(returning: saved) }
    }

    func end(_ id: String) {
        let waiting = runs.withLock { $0.removeValue(forKey: id)?.waiting ?? [] }
        for continuation in waiting { continuation.resume(returning: nil) }
    }
}
