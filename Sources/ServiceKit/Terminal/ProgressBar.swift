import Synchronization

/// A bar for whatever takes over two seconds, on a terminal only, on standard error.
///
/// ```
/// augment ████████████░░░░░░░░  61 %  610/1000  00:42 left
/// ```
public final class ProgressBar: Sendable {
    private struct State {
        var began = ContinuousClock.now
        var drawn: ContinuousClock.Instant?
        var shown = false
    }

    private let label: String
    private let isVisible: Bool
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    private static let width = 24
    private static let interval = Duration.milliseconds(100)
    private static let patience = Duration.seconds(2)

    public init(
        _ label: String, isVisible: Bool = StandardError.isTerminal,
        write: @escaping @Sendable (String) -> Void = { StandardError.write($0) }
    ) {
        self.label = label
        self.isVisible = isVisible
        self.write = write
    }

    /// Draws where the work stands; cheap enough to be called for every item.
    public func update(_ done: Int, of total: Int, _ note: String = "") {
        guard isVisible else { return }
        let now = ContinuousClock.now
        let elapsed = state.withLock { state -> Duration? in
            let elapsed = now - state.began
            guard elapsed >= Self.patience else { return nil }
            if let drawn = state.drawn, now - drawn < Self.interval, done < total { return nil }
            state.drawn = now
            state.shown = true
            return elapsed
        }
        if let elapsed {
            write("\r\u{1B}[K" + Self.line(label, done, total, note, elapsed: elapsed))
        }
    }

    /// Removes the bar, so that what follows begins on a clean line.
    public func finish() {
        let shown = state.withLock { state in
            defer { state.shown = false }
            return state.shown
        }
        if shown { write("\r\u{1B}[K") }
    }

    /// Counts the seconds of a body that cannot tell how far it is.
    ///
    /// ```
    /// merge 4 s
    /// ```
    public func counting<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        defer { finish() }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let began = ContinuousClock.now
                while true {
                    try await Task.sleep(for: .milliseconds(500))
                    self.update(Int((ContinuousClock.now - began).components.seconds), of: 0, "s")
                }
            }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// The text of a bar.
    package static func line(
        _ label: String, _ done: Int, _ total: Int, _ note: String, elapsed: Duration
    ) -> String {
        guard total > 0 else { return "\(label) \(done) \(note)" }
        let done = min(max(done, 0), total)
        let filled = width * done / total
        let bar =
            String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        var text = "\(label) \(bar) \(100 * done / total) %  \(done)/\(total)"
        if done > 0, done < total {
            let seconds = elapsed.components.seconds * Int64(total - done) / Int64(done)
            text += "  \(clock(seconds)) left"
        }
        return note.isEmpty ? text : text + "  " + note
    }

    private static func clock(_ seconds: Int64) -> String {
        let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60]
        let shown = parts[0] > 0 ? parts : Array(parts[1...])
        return shown.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
