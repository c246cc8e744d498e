import Glibc
import Synchronization

/// A context that is made anew when the files it was read from have changed.
///
/// Connections keep the context they began with; new ones take ``context``. Files that do not
/// belong together, as while they are being replaced, leave the old context in use.
public final class TLSFiles: Sendable {
    /// What changes when a file is written, replaced or linked anew.
    private struct Stamp: Equatable {
        let device: UInt
        let inode: UInt
        let size: Int
        let modified: [Int]
    }

    private struct State {
        var context: TLSContext
        var stamps: [Stamp?]
    }

    private let role: TLSContext.Role
    private let settings: TLSSettings
    private let application: TLSContext.Application
    private let state: Mutex<State>

    /// Reads the files of `settings`.
    public init(
        _ role: TLSContext.Role, _ settings: TLSSettings,
        carrying application: TLSContext.Application = .http2
    ) throws(TLSError) {
        self.role = role
        self.settings = settings
        self.application = application
        // The stamps come first: what changes while the files are read is seen the next time.
        let stamps = Self.stamps(settings)
        state = Mutex(
            State(
                context: try TLSContext(role, settings, carrying: application), stamps: stamps))
    }

    /// What new connections are to use.
    public var context: TLSContext { state.withLock { $0.context } }

    /// Reads the files again if they have changed since they were last read.
    ///
    /// - Returns: whether another context is in use now.
    /// - Throws: once for each change, where the files cannot be used.
    public func refresh() throws(TLSError) -> Bool {
        let stamps = Self.stamps(settings)
        let isChanged = state.withLock { state in
            defer { state.stamps = stamps }
            return state.stamps != stamps
        }
        guard isChanged else { return false }
        let context = try TLSContext(role, settings, carrying: application)
        state.withLock { $0.context = context }
        return true
    }

    /// Looks at the files again and again while `body` runs.
    ///
    /// - Parameters:
    ///   - files: nil of no TLS, where there is nothing to look at.
    ///   - told: hears of each change: nil where another context is in use now, else why the files
    ///     cannot be used.
    public static func watched<Result: Sendable>(
        _ files: TLSFiles?, every interval: Duration,
        _ told: @escaping @Sendable (TLSError?) -> Void, while body: () async throws -> Result
    ) async throws -> Result {
        guard let files else { return try await body() }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: interval)
                    do throws(TLSError) {
                        if try files.refresh() { told(nil) }
                    } catch {
                        told(error)
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private static func stamps(_ settings: TLSSettings) -> [Stamp?] {
        [settings.certificate, settings.key, settings.authority].map { path in
            var information = stat()
            guard let path, unsafe stat(path, &information) == 0 else { return nil }
            return Stamp(
                device: UInt(information.st_dev), inode: UInt(information.st_ino),
                size: information.st_size,
                modified: [
                    information.st_mtim.tv_sec, information.st_mtim.tv_nsec,
                    information.st_ctim.tv_sec, information.st_ctim.tv_nsec,
                ])
        }
    }
}
