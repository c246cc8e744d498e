import GRDB
import Synchronization

/// Carries out the jobs of one kind.
///
/// A runner may be called again for a job that an earlier process began: it asks the context for
/// what it saved. It heeds cancellation. What it throws fails the job, unless it was cancelled.
public protocol JobRunner: Sendable {
    /// - Returns: the job's result, JSON.
    func run(_ context: JobContext) async throws -> String
}

/// A runner made of a function.
public struct JobFunction: JobRunner {
    private let body: @Sendable (JobContext) async throws -> String

    public init(_ body: @escaping @Sendable (JobContext) async throws -> String) {
        self.body = body
    }

    public func run(_ context: JobContext) async throws -> String {
        try await body(context)
    }
}

extension JobTable {
    /// Runs queued jobs, oldest first, until the calling task is cancelled.
    ///
    /// Jobs that are then running are queued again, for the next `run` or the next process.
    ///
    /// - Parameter runners: by kind. A queued job of another kind fails.
    public func run(_ runners: [String: any JobRunner]) async throws {
        let slots = Slots(limits.concurrentJobs)
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let generation = signals.generation(of: Self.queueSignal)
                if slots.hasRoom, let job = try await takeQueued() {
                    slots.take()
                    group.addTask {
                        try await self.execute(job, by: runners)
                        slots.free()
                        self.signals.raise(Self.queueSignal)
                    }
                } else {
                    await signals.wait(for: Self.queueSignal, after: generation)
                }
            }
        }
    }

    /// Counts the jobs that run.
    private final class Slots: Sendable {
        private let room: Mutex<Int>

        init(_ count: Int) {
            room = Mutex(count)
        }

        var hasRoom: Bool { room.withLock { $0 > 0 } }
        func take() { room.withLock { $0 -= 1 } }
        func free() { room.withLock { $0 += 1 } }
    }

    private func takeQueued() async throws -> Job? {
        let limit = limits.eventsPerJob
        let job = try await store.write { database in
            let id = try String.fetchOne(
                database,
                sql: "SELECT id FROM job WHERE status = 'queued' ORDER BY number LIMIT 1")
            guard let id else { return Job?.none }
            try database.execute(
                sql: "UPDATE job SET attempts = attempts + 1 WHERE id = ?", arguments: [id])
            try JobStore.move(id, to: .running, in: database, keeping: limit)
            return try JobStore.job(database, id: id)
        }
        if let job { signals.raise(job.id) }
        return job
    }

    private enum Outcome {
        case succeeded(String), failed(String), interrupted
    }

    private func execute(_ job: Job, by runners: [String: any JobRunner]) async throws {
        let outcome: Outcome
        if let runner = runners[job.kind] {
            outcome = try await race(job, runner)
        } else {
            let known = [String](runners.keys)
            outcome = .failed(JobError.unknownKind(kind: job.kind, known: known).description)
        }
        let limit = limits.eventsPerJob
        let left = leftOut.withLock { $0.removeValue(forKey: job.id) } ?? 0
        try await store.write { database in
            if left > 0 {
                try JobStore.append(
                    .log, to: job.id, in: database,
                    message:
                        "\(left) events came faster than they could be written, and were left out",
                    at: JobStore.now(), keeping: limit)
            }
            try Self.record(outcome, of: job.id, in: database, keeping: limit)
        }
        signals.raise(job.id)
        signals.drop(Self.cancelSignal(job.id))
        signals.drop(job.id)
    }

    /// Runs the job beside a wait for its cancellation.
    private func race(_ job: Job, _ runner: any JobRunner) async throws -> Outcome {
        let context = JobContext(job: job, table: self)
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                do {
                    return .succeeded(try await runner.run(context))
                } catch {
                    return Task.isCancelled ? .interrupted : .failed("\(error)")
                }
            }
            group.addTask {
                try await self.waitForCancellation(of: job.id)
                return nil
            }
            var outcome = Outcome.interrupted
            for try await ended in group {
                if let ended { outcome = ended }
                group.cancelAll()
            }
            return outcome
        }
    }

    /// Returns when somebody has asked for the job's end, or the task is cancelled.
    private func waitForCancellation(of id: String) async throws {
        let signal = Self.cancelSignal(id)
        while !Task.isCancelled {
            let generation = signals.generation(of: signal)
            do {
                let asked = try await store.read { database in
                    try Bool.fetchOne(
                        database, sql: "SELECT cancelling FROM job WHERE id = ?", arguments: [id])
                }
                if asked ?? true { return }
            } catch is CancellationError {
                return
            }
            await signals.wait(for: signal, after: generation)
        }
    }

    /// Writes how a job ended. One that was interrupted ends only if somebody asked for that.
    private static func record(
        _ outcome: Outcome, of id: String, in database: Database, keeping limit: Int
    ) throws {
        switch outcome {
        case .succeeded(let result):
            try JobStore.move(id, to: .succeeded, in: database, result: result, keeping: limit)
        case .failed(let error):
            try JobStore.move(id, to: .failed, in: database, error: error, keeping: limit)
        case .interrupted:
            let asked = try Bool.fetchOne(
                database, sql: "SELECT cancelling FROM job WHERE id = ?", arguments: [id])
            if asked == true {
                try JobStore.move(
                    id, to: .cancelled, in: database, message: "cancelled", keeping: limit)
            } else {
                try JobStore.move(
                    id, to: .queued, in: database, message: "interrupted by a shutdown",
                    keeping: limit)
            }
        }
    }
}
