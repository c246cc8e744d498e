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
        let job = try await jobs.table.job(state.id)
        if let difference = try Self.difference(definition, request, from: job) {
            throw GatewayError.otherWorkflow(key: request.key, difference: difference)
        }
        guard state.status == .failed || state.status == .cancelled else { return state }
        return try await jobs.retry(JobReference.with { $0.id = state.id })
    }

    /// What a request asks for otherwise than the one that had its key before; nil if nothing.
    private static func difference(
        _ definition: WorkflowDefinition, _ request: WorkflowRequest, from job: Job
    ) throws -> String? {
        let former = try WorkflowRequest(decoding: job.input)
        guard try WorkflowDefinition(parsing: former.definition) == definition else {
            return "another definition"
        }
        let names = Set(former.parameters.keys).union(request.parameters.keys).sorted()
        guard let name = names.first(where: { former.parameters[$0] != request.parameters[$0] })
        else { return nil }
        let value = former.parameters[name].map { "\"\($0)\"" } ?? "not given"
        return "the parameter \(name), which was \(value)"
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
        let job = try await jobs.table.job(request.id)
        let steps = try await records(of: job)
        return StepList.with {
            $0.steps = steps.map { step, record in
                record.seen(in: job).state(name: step.name, kind: step.kind)
            }
        }
    }

    /// Ends the workflow, and the jobs its steps wait for in other services.
    package func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        try await jobs.table.cancel(request.id)
        // Only once the workflow has ended does no step begin another job.
        let job = try await jobs.table.finish(of: request.id)
        if job.status == .cancelled {
            for (step, record) in try await records(of: job) where record.status == .running {
                try await services.cancel(record.job, of: step.kind)
            }
        }
        return JobState(job)
    }

    private func records(
        of job: Job
    ) async throws -> [(step: WorkflowDefinition.Step, record: StepRecord)] {
        let request = try WorkflowRequest(decoding: job.input)
        let definition = try WorkflowDefinition(parsing: request.definition)
        var records: [(WorkflowDefinition.Step, StepRecord)] = []
        for step in definition.steps {
            let bytes = try await jobs.table.state(StepRecord.stateName(step.name), of: job.id)
            records.append((step, try bytes.map(StepRecord.init(decoding:)) ?? StepRecord()))
        }
        return records
    }
}

extension StepRecord {
    /// The record as it is to be seen once its workflow has ended: nothing of that runs or waits.
    fileprivate func seen(in job: Job) -> StepRecord {
        guard job.status == .cancelled || job.status == .failed,
            status == .running || status == .queued
        else { return self }
        var record = self
        record.status = .cancelled
        if status == .running { record.finishedAtMilliseconds = Int(job.updatedAtMilliseconds) }
        return record
    }
}
