import Chat
import Corpus
import Revising
import Synchronization

/// How far a run is.
package struct AugmentationSummary: Sendable, Equatable {
    /// Examples of the input, limit applied.
    package var total = 0
    /// Chains made by this process.
    package var made = 0
    /// Examples that were finished before.
    package var found = 0
    /// Examples that failed, now or before.
    package var failed = 0
    /// Replies by this process.
    package var cost = AugmentationCost()
    /// Replies taken from the journal for examples that were not finished.
    package var reused = 0
    package var flags: [String: Int] = [:]

    package var done: Int { made + found + failed }
}

/// Makes the chains of one plan: workers take examples, ask the teacher, and journal every step.
package struct Augmenter: Sendable {
    private let plan: AugmentationPlan
    private let teacher: any Teacher
    private let journal: Journal
    private let state = State()

    /// Shared by the workers.
    private final class State: Sendable {
        struct Values {
            var summary = AugmentationSummary()
            var failuresInARow = 0
            var replies: [Int: [StoredReply]] = [:]
        }
        let values = Mutex(Values())
    }

    /// So many failures in a row, at least, mean that the teacher is down.
    private static let failuresInARow = 20

    package init(_ plan: AugmentationPlan, teacher: any Teacher, journal: Journal) {
        self.plan = plan
        self.teacher = teacher
        self.journal = journal
    }

    /// Runs to the end; cancelling stops at once and loses nothing that was journaled.
    ///
    /// - Parameters:
    ///   - progress: called after every example, from any thread.
    ///   - failure: called with what failed, by the line in the input.
    package func run(
        progress: @escaping @Sendable (AugmentationSummary) -> Void = { _ in },
        failure: @escaping @Sendable (_ line: Int, _ reason: String) -> Void = { _, _ in }
    ) async throws -> AugmentationSummary {
        try plan.check()
        let total = try TaskSource.count(path: plan.inputPath, limit: plan.limit)
        let source = try TaskSource(path: plan.inputPath, limit: plan.limit)
        let opened = try journal.open(plan, model: teacher.model)
        state.values.withLock {
            $0.summary.total = total
            $0.replies = opened.replies
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<min(plan.concurrency, max(1, total)) {
                group.addTask {
                    while let record = try source.next() {
                        try Task.checkCancellation()
                        if let reason = try await take(record, opened) {
                            failure(record.line, reason)
                        }
                        progress(summary)
                    }
                }
            }
            try await group.waitForAll()
        }
        return summary
    }

    private var summary: AugmentationSummary { state.values.withLock { $0.summary } }

    /// Passes over what is finished and makes what is not.
    ///
    /// - Returns: why the example failed just now, or nil.
    private func take(_ record: TaskRecord, _ opened: Journal.Opened) async throws -> String? {
        guard let known = opened.finished[record.item], known.hash == record.hash else {
            return try await make(record)
        }
        state.values.withLock {
            if known.failed { $0.summary.failed += 1 } else { $0.summary.found += 1 }
        }
        return nil
    }

    private func make(_ record: TaskRecord) async throws -> String? {
        let reason: String
        do {
            let (chain, cost) = try await chain(for: record)
            let json = ChainRecord.json(chain, plan: plan, model: teacher.model, cost: cost)
            try await journal.save(
                StoredOutcome(
                    item: record.item, hash: record.hash, failed: false, line: json.line(.python)))
            state.values.withLock { values in
                values.failuresInARow = 0
                values.summary.made += 1
                for flag in chain.flags { values.summary.flags[flag.rawValue, default: 0] += 1 }
            }
            return nil
        } catch let error as ChatError {
            try check(error)
            reason = "\(error)"
        } catch let error as Revising.AugmentationProcedure.TaskError {
            reason = "\(error)"
        } catch let error as AugmentationError {
            guard case .badTask = error else { throw error }
            reason = "\(error)"
        }
        try await journal.save(
            StoredOutcome(
                item: record.item, hash: record.hash, failed: true, reason: reason,
                line: record.failLine))
        state.values.withLock { $0.summary.failed += 1 }
        return reason
    }

    /// Ends the run for a failure that every other example would meet too.
    private func check(_ error: ChatError) throws(AugmentationError) {
        switch error.kind {
        case .authentication, .permission, .notFound, .quota, .configuration:
            throw .teacher(reason: "\(error)")
        default: break
        }
        guard error.isRetryable else { return }
        let failures = state.values.withLock { values in
            values.failuresInARow += 1
            return values.failuresInARow
        }
        if failures >= max(Self.failuresInARow, plan.concurrency) {
            throw .teacherDown(failures: failures, reason: "\(error)")
        }
    }

    private func chain(
        for record: TaskRecord
    ) async throws -> (AugmentedChain, AugmentationCost) {
        var procedure = try Revising.AugmentationProcedure(
            kind: plan.procedure, mode: plan.mode, task: try record.task(plan.mode))
        let known = state.values.withLock { $0.replies.removeValue(forKey: record.item) } ?? []
        var cost = AugmentationCost()
        var step = procedure.next()
        var number = 0
        while true {
            switch step {
            case .finished(let chain): return (chain, cost)
            case .ask(let call):
                let answer = try await answer(call, number: number, of: record, known: known)
                cost.add(answer)
                number += 1
                step = procedure.next(TeacherReply(answer.text, isCut: answer.isCut))
            }
        }
    }

    /// The journaled reply to this very request, or the teacher's, journaled.
    private func answer(
        _ call: ChatCall, number: Int, of record: TaskRecord, known: [StoredReply]
    ) async throws -> TeacherAnswer {
        let request = SHA256.hexadecimal(of: teacher.request(for: call))
        if let stored = known.first(where: { $0.call == number && $0.request == request }) {
            state.values.withLock { $0.summary.reused += 1 }
            return stored.answer
        }
        let answer = try await teacher.answer(call, item: record.item)
        try await journal.save(
            StoredReply(item: record.item, call: number, request: request, answer: answer))
        state.values.withLock { $0.summary.cost.add(answer) }
        return answer
    }
}
