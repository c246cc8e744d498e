import Corpus
import FoundationEssentials
package import Jobs
import RPC
import Schema
package import ServiceKit
import Synchronization
import Wire

/// Runs workflows: each step once, in the order in which steps need each other.
///
/// Every step's record lies in the workflow's job. After a crash the finished ones are passed over;
/// one that was underway is begun again under the same key, which makes the service it asks find the
/// job it has already.
package struct WorkflowRunner: JobRunner {
    package static let kind = "workflow"

    private let services: Services
    private let patience: Patience

    package init(_ services: Services, patience: Patience = .generous) {
        self.services = services
        self.patience = patience
    }

    package func run(_ context: JobContext) async throws -> String {
        let request = try WorkflowRequest(decoding: context.job.input)
        let definition = try WorkflowDefinition(parsing: request.definition)
        var values = try definition.values(given: request.parameters)
        values["workflow"] = .string(context.job.id)
        let progress = StepProgress(context, steps: definition.steps.count)
        let results: [String: JSON]
        do {
            results = try await runSteps(of: definition, values, context, progress)
        } catch {
            // One that is interrupted goes on later; one that failed must leave nothing running.
            if !Task.isCancelled { try await endSteps(of: definition, context) }
            throw error
        }
        let ordered = definition.steps.map { ($0.name, results[$0.name] ?? .null) }
        return JSON.object(JSONObject([("steps", .object(JSONObject(ordered)))])).text()
    }

    /// Runs each step once those it needs have succeeded.
    private func runSteps(
        of definition: WorkflowDefinition, _ values: [String: JSON], _ context: JobContext,
        _ progress: StepProgress
    ) async throws -> [String: JSON] {
        var results: [String: JSON] = [:]
        var waiting = definition.steps
        try await withThrowingTaskGroup(of: (String, JSON).self) { group in
            while true {
                for step in waiting where step.after.allSatisfy({ results[$0] != nil }) {
                    waiting.removeAll { $0.name == step.name }
                    let substitution = Substitution(values: values, results: results)
                    group.addTask {
                        (step.name, try await run(step, substitution, context, progress))
                    }
                }
                guard let (name, result) = try await group.next() else { break }
                results[name] = result
                progress.finished(name)
            }
        }
        return results
    }

    /// Ends what ran beside a step that failed.
    private func endSteps(of definition: WorkflowDefinition, _ context: JobContext) async throws {
        for step in definition.steps {
            let ledger = StepLedger(step.name, context)
            let record = try await ledger.read()
            guard record.status == .running else { continue }
            try await services.cancel(record.job, of: step.kind)
            try await ledger.finish(.cancelled, error: "another step failed")
            context.log("\(step.name): cancelled, another step failed")
        }
    }

    /// Runs a step, or returns what an earlier attempt of the same step with the same inputs gave.
    private func run(
        _ step: WorkflowDefinition.Step, _ substitution: Substitution, _ context: JobContext,
        _ progress: StepProgress
    ) async throws -> JSON {
        let fields = try substitution.apply(to: step.fields, step: step.name)
        let inputs = SHA256.hexadecimal(of: step.kind.rawValue + "\n" + fields.text())
        let ledger = StepLedger(step.name, context)
        var record = try await ledger.read()
        if record.status == .succeeded, record.inputs == inputs { return record.result }
        if record.inputs != inputs { record = StepRecord() }
        record.inputs = inputs
        record.status = .running
        record.error = ""
        record.startedAtMilliseconds = Self.now()
        try await ledger.write(record)
        context.log("\(step.name): begins")
        let scope = StepScope(
            step: step.name, key: "\(context.job.id)/\(step.name)/\(inputs.prefix(16))",
            services: services, context: context,
            directory: try substitution.apply(to: "${directory}", orNil: step.name),
            patience: patience, rememberJob: { try await ledger.remember(job: $0) },
            report: { progress.report(step.name, $0, $1, $2) })
        do {
            let result = try await step.kind.action.run(
                StepFields(fields, step: step.name), scope)
            try await ledger.finish(.succeeded, result: result)
            try await context.removeStates(beginning: scope.statePrefix)
            context.log("\(step.name): done")
            return result
        } catch {
            // An interrupted step stays as it is: the next attempt takes it up.
            if !Task.isCancelled {
                try await ledger.finish(.failed, error: "\(error)")
                context.log("\(step.name): failed: \(error)")
            }
            throw error
        }
    }

    static func now() -> Int { Int(Date().timeIntervalSince1970 * 1000) }
}

extension Substitution {
    /// The value of a parameter that need not be there.
    fileprivate func apply(to reference: String, orNil step: String) throws -> String? {
        do {
            return try apply(to: .string(reference), step: step).stringValue
        } catch GatewayError.unknownReference {
            return nil
        }
    }
}

/// Reads and writes one step's record.
private struct StepLedger: Sendable {
    private let name: String
    private let context: JobContext

    init(_ step: String, _ context: JobContext) {
        name = StepRecord.stateName(step)
        self.context = context
    }

    func read() async throws -> StepRecord {
        guard let bytes = try await context.state(name) else { return StepRecord() }
        return try StepRecord(decoding: bytes)
    }

    func write(_ record: StepRecord) async throws {
        try await context.save(record.encoded, as: name)
    }

    func remember(job: String) async throws {
        var record = try await read()
        record.job = job
        try await write(record)
    }

    func finish(
        _ status: StepRecord.Status, result: JSON = .null, error: String = ""
    ) async throws {
        var record = try await read()
        record.status = status
        record.result = result
        record.error = error
        record.finishedAtMilliseconds = WorkflowRunner.now()
        try await write(record)
    }
}

/// Tells how many steps are done, and how far those underway are.
private final class StepProgress: Sendable {
    private let context: JobContext
    private let steps: Int
    private let done = Mutex(0)

    init(_ context: JobContext, steps: Int) {
        self.context = context
        self.steps = steps
        context.progress(0, of: steps)
    }

    func finished(_ step: String) {
        let count = done.withLock { done in
            done += 1
            return done
        }
        context.progress(count, of: steps, "\(step) done")
    }

    func report(_ step: String, _ part: Int, _ total: Int, _ message: String) {
        let share = total > 0 ? " \(part)/\(total)" : ""
        context.progress(
            done.withLock { $0 }, of: steps,
            "\(step)\(share)\(message.isEmpty ? "" : " " + message)")
    }
}
