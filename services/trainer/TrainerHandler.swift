import Jobs
import RPC
import Schema
import ServiceKit
import Wire

/// Answers hone.Trainer: checks, and hands the work to the jobs.
struct TrainerHandler: TrainerAPI.Handler {
    static let kind = "training"

    let jobs: JobCalls
    let requests: CheckpointRequests

    func start(_ request: TrainingRequest, _ context: CallContext) async throws -> JobState {
        let missing = [
            ("dataset.name", request.dataset.name), ("outputModel", request.outputModel),
        ].filter(\.1.isEmpty).map { FieldViolation($0.0, "is not empty") }
        guard missing.isEmpty else {
            throw Status.invalid(
                "the request lacks a dataset or the name of the output model",
                domain: TrainerAPI.service, missing)
        }
        try RunSettings(request, model: request.baseModel).check()
        // Who asks again for a run that was ended or failed wants it to go on from its checkpoint.
        if let known = try await jobs.table.job(kind: Self.kind, key: request.key),
            requests.isEnding(known.id)
        {
            _ = try await jobs.table.finish(of: known.id)
            requests.resumed(known.id)
        }
        return try await jobs.start(kind: Self.kind, key: request.key, request, goesOn: true)
    }

    func watch(
        _ request: WatchRequest, _ responses: ResponseWriter<Schema.JobEvent>,
        _ context: CallContext
    ) async throws {
        try await jobs.watch(request, responses)
    }

    func get(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        try await jobs.get(request)
    }

    func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        // Said first: whoever starts the run again from now on wants it to go on after that.
        requests.cancelled(request.id)
        do {
            let state = try await jobs.cancel(request)
            if state.status.isFinal { requests.resumed(request.id) }
            return state
        } catch {
            requests.resumed(request.id)
            throw error
        }
    }

    func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList {
        try await jobs.list(request)
    }

    func resume(_ request: JobReference, _ context: CallContext) async throws -> JobState {
        let state = try await jobs.retry(request)
        requests.resumed(request.id)
        return state
    }

    func checkpointNow(
        _ request: JobReference, _ context: CallContext
    ) async throws -> CheckpointReply {
        guard let saved = await requests.ask(request.id) else {
            throw TrainerError.notRunning(id: request.id)
        }
        return CheckpointReply.with {
            $0.step = saved.step
            $0.path = saved.path
        }
    }

    func makeDiff(_ request: DiffRequest, _ context: CallContext) async throws -> Empty {
        try await withTaskExecutorPreference(ComputeThread()) {
            try WeightDifferences.make(
                raw: request.raw, tuned: request.tuned, diff: request.diff)
        }
        return Empty()
    }

    func applyDiff(_ request: DiffRequest, _ context: CallContext) async throws -> Empty {
        try await withTaskExecutorPreference(ComputeThread()) {
            try WeightDifferences.apply(
                raw: request.raw, diff: request.diff, tuned: request.tuned)
        }
        return Empty()
    }
}
