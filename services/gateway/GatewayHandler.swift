import Corpus
import Jobs
package import RPC
package import Schema
package import ServiceKit
import Wire

/// Answers the workflow calls.
package struct GatewayHandler: GatewayAPI.Handler {
    private let jobs: JobCalls
    private let services: Services

    package init(jobs: JobCalls, services: Services) {
        self.jobs = jobs
        self.services = services
    }

    /// A workflow that failed or was cancelled goes on, if it is asked for again.
    package func runWorkflow(
        _ request: WorkflowRequest, _ context: CallContext
    ) async throws -> JobState {
        let definition = try WorkflowDefinition(parsing: request.definition)
        _ = try definition.values(given: request.parameters)
        let state = try await jobs.start(
            kind: WorkflowRunner.kind, key: request.key, request)
        guard state.status == .failed || state.status == .cancelled else { return state }
        return try await jobs.retry(JobReference.with { $0.id = state.id })
    }

    package func watchWorkflow(
        _ request: WatchRequest, _ responses: ResponseWriter<Schema.JobEvent>,
        _ context: CallContext
    ) async throws {
        try await jobs.watch(request, responses)
    }

    package func get(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        try await jobs.get(request)
    }

    package func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList {
        try await jobs.list(request)
    }

    package func steps(_ request: JobReference, _ context: CallContext) async throws -> StepList {
        let steps = try await records(of: request.id)
        return StepList.with {
            $0.steps = steps.map { $0.record.state(name: $0.step.name, kind: $0.step.kind) }
        }
    }

    /// Ends the workflow, and the jobs its steps wait for in other services.
    package func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        let steps = try await records(of: request.id)
        let state = try await jobs.cancel(request)
        for (step, record) in steps where record.status == .running && !record.job.isEmpty {
            let remote: RemoteJobs? =
                switch step.kind {
                case .augment: .augmentation(services.augmentation)
                case .train: .trainer(services.trainer)
                case .judge: .evaluator(services.evaluator)
                default: nil
                }
            do {
                try await remote?.cancel(record.job)
            } catch let status as Status where Patience.isAway(status) {
                // A service that is away has nothing running; its job waits for a workflow that is
                // not coming, and can be cancelled there.
                continue
            }
        }
        return state
    }

    private func records(
        of id: String
    ) async throws -> [(step: WorkflowDefinition.Step, record: StepRecord)] {
        let job = try await jobs.table.job(id)
        let request = try WorkflowRequest(decoding: job.input)
        let definition = try WorkflowDefinition(parsing: request.definition)
        var records: [(WorkflowDefinition.Step, StepRecord)] = []
        for step in definition.steps {
            let bytes = try await jobs.table.state(StepRecord.stateName(step.name), of: id)
            records.append((step, try bytes.map(StepRecord.init(decoding:)) ?? StepRecord()))
        }
        return records
    }
}
